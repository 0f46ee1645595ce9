"""The configuration of a training: one frozen ``TrainConfig`` and its presets."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.presets import PRESETS
from agent.setting import check, setting
from data.episode import DEEPEST_STACK
from data.errors import CoachError
from data.runs import RunFolder

MNIH = "Mnih et al. 2015"
HESTER = "Hester et al. 2018"
SCHAUL = "Schaul et al. 2016"
BBF = "Schwarzer et al. 2023"

OLDER_AGES = (16, 64, 256)
"""Ages of the older observations in a stack, in decisions."""

ADDED_LATER: dict[str, Any] = {
    "network": "nature",
    "quantiles": 0,
    "pretrain_on": "td",
    "pretrain_learning_rate": 0.0,
    "bound_returns": "all",
    "margin_anneal_steps": 0,
    "margin_anneal_rule": "steps",
    "bad_margin": 0.0,
    "start_inside": 0.0,
    "start_rule": "even",
    "balance_actions": False,
    "change_weight": 1.0,
    "held_out": 0.0,
    "check_episodes": 0,
    "imitate_above_value": False,
    "imitate_own": 0.0,
    "equivalent_actions": False,
    "older_observations": 0,
    "start_weight": 1.0,
    "calibrate": False,
    "reset_every": 0,
    "gradient_steps": 1,
    "n_steps_start": 0,
    "discount_start": 0.0,
    "horizon_updates": 10_000,
}
"""Settings that a configuration saved by an older version lacks, and the behaviour it was saved with."""


@dataclass(frozen=True)
class TrainConfig:
    """How an agent is seeded, trained and evaluated. Printed and saved with each run."""

    # The game
    game: str = setting("SpaceInvaders", "the game, by its ALE id")
    seed: int = setting(0, "random seed of the training", least=0, most=2**31 - 1)
    sticky: float = setting(
        0.0,
        "probability that the emulator repeats the previous frame's action",
        "probability per frame",
        "Machado et al. 2018, section 5.2: 0.25",
        least=0,
        most=0.99,
    )
    full_action_set: bool = setting(
        False, "all 18 actions instead of the game's minimal set", source="Machado et al. 2018"
    )
    noop_max: int = setting(30, "most no-op frames before an episode", "frames", MNIH, least=0, most=3600)
    max_episode_frames: int = setting(
        18_000, "length at which an episode is truncated", "frames", f"{MNIH}: 5 minutes", least=60, most=108_000
    )
    life_loss_ends: bool = setting(False, "a lost life ends the return, but not the episode", source=f"{MNIH}, methods")

    # Observations
    preprocessing: str = setting("nature", "how frames become observations", choices=("nature", "tutorial"))
    frame_skip: int = setting(4, "frames for which a decision's action is held", "frames", MNIH, least=1, most=60)
    stack: int = setting(4, "newest observations in a stack", "observations", MNIH, least=1, most=DEEPEST_STACK)
    older_observations: int = setting(
        0,
        "further observations in a stack, 16, 64 and 256 decisions old: a memory of where the agent comes from",
        "observations",
        "our own",
        least=0,
        most=len(OLDER_AGES),
    )

    # The network
    network: str = setting(
        "small-norm",
        "nature; small: half as many filters, normalised in the dense layer alone; small-norm: also in the first "
        "convolution; impala: 15 residual convolutions",
        source=f"{MNIH}; Espeholt et al. 2018",
        choices=("nature", "small", "small-norm", "impala"),
    )
    quantiles: int = setting(
        32,
        "quantiles of the return that the network learns for each action, acting by their mean; 0: its value alone",
        "quantiles",
        "Dabney et al. 2018",
        least=0,
        most=256,
    )
    hidden_units: int = setting(512, "units of the dense hidden layer", "units", MNIH, least=1, most=8192)
    layer_norm: bool = setting(True, "layer normalisation after each hidden layer", source="Ba et al. 2016")
    dueling: bool = setting(False, "separate streams for value and advantages", source="Wang et al. 2016, section 3")
    averaging: float = setting(
        0.995,
        "decay of the averaged weights that act and are evaluated; 0: the newest weights act",
        "per update",
        "Polyak and Juditsky 1992; 0.995 by our own trial",
        least=0,
        most=0.999999,
    )

    # Seeding
    seed_from: tuple[str, ...] = setting(
        (),
        "what fills the replay memory before training: human, agent, agent:RUN, planner, imported, random:N, all, "
        "or a replay file; SPEC@WEIGHT samples a source's transitions WEIGHT times as often; repeatable",
    )
    keep: str = setting(
        "not-bad",
        "which verdicts a seeding keeps; with all, clips judged bad are also learned from, but never imitated",
        choices=("all", "not-bad", "good"),
    )
    seed_share: float = setting(
        0.5, "final share of each batch that is seeded", "share", "our own trial", least=0, most=1
    )
    seed_anneal_steps: int = setting(
        20_000,
        "own steps over which the seeded share falls from 1 to the seed share",
        "steps",
        "our own trial",
        least=0,
    )
    mixing: str = setting(
        "share",
        "share: the seed share decides each batch; free: all transitions are sampled alike, or by priority",
        choices=("share", "free"),
    )
    evict_seed: bool = setting(False, "seeded transitions may be overwritten, first in, first out")
    pretrain_steps: int = setting(
        2_500,
        "updates on the seeding before the first step",
        "updates",
        "our own trial; 750,000 in Hester et al. 2018",
        least=0,
    )

    pretrain_on: str = setting(
        "td",
        "what pretraining fits: td: targets as later; returns: the recorded returns, where the episode's end is known",
        source="Nakamoto et al. 2023",
        choices=("td", "returns"),
    )

    pretrain_learning_rate: float = setting(
        3e-4, "learning rate in pretraining; 0: as later", source="our own trial", least=0, most=1
    )

    held_out: float = setting(
        0.0,
        "share of the demonstrations that is held out of pretraining, which stops when it no longer fits them better",
        "share",
        least=0,
        most=0.5,
    )
    check_episodes: int = setting(
        8,
        "episodes after pretraining in which the agent is compared with random play; where it is worse, the "
        "demonstrations are not imitated, or not used; 0: no check",
        "episodes",
        least=0,
        most=1000,
    )

    start_inside: float = setting(
        0.0,
        "share of the agent's own episodes that start inside a seeded episode; evaluations never do",
        "share",
        "Salimans and Chen 2018",
        least=0,
        most=1,
    )
    start_rule: str = setting(
        "even",
        "where these start: even: anywhere; backward: near the end, then earlier as the agent succeeds; good: shortly "
        "before clips judged good; bad: shortly before clips judged bad and lost lives",
        choices=("even", "backward", "good", "bad"),
    )

    # Learning
    steps: int = setting(100_000, "the agent's own steps", "steps", least=0)
    learn_from_step: int = setting(
        1_000,
        "own step at which learning starts, whatever the seeding; pretraining comes before",
        "steps",
        f"50,000 in {MNIH}",
        least=0,
    )
    train_every: int = setting(4, "own steps between updates", "steps", MNIH, least=1)
    gradient_steps: int = setting(
        1, "updates that are made each time, one after another", "updates", "D'Oro et al. 2023", least=1, most=1000
    )
    batch_size: int = setting(32, "transitions in a batch", "transitions", MNIH, least=1, most=65_536)
    memory_size: int = setting(
        200_000,
        "own transitions that the replay memory holds, in addition to the seeded ones",
        "transitions of 7.1 KB each",
        f"1,000,000 in {MNIH}",
        least=1000,
    )
    discount: float = setting(0.99, "discount of the future", "per step", MNIH, least=0, most=1)
    n_steps: int = setting(
        5, "steps of reward in a return", "steps", f"10 in {HESTER}; 5 by our own trial", least=1, most=64
    )
    n_steps_start: int = setting(0, "steps of reward in a return at first; 0: as later", "steps", BBF, least=0, most=64)
    discount_start: float = setting(0.0, "the discount at first; 0: as later", "per step", BBF, least=0, most=1)
    horizon_updates: int = setting(
        10_000,
        "updates after pretraining, and after a reset, over which n-steps and discount change to their later values",
        "updates",
        BBF,
        least=1,
    )
    one_step_weight: float = setting(
        0.0, "weight of a 1-step loss added to the n-step one", "factor", f"1 in {HESTER}, equation 3", least=0
    )
    double_q: bool = setting(
        False, "the online network chooses the action that the target network values", source="van Hasselt et al. 2016"
    )
    bound_by_return: bool = setting(
        True,
        "targets are at least the recorded discounted return, where the episode's end is known",
        source="He et al. 2017, equation 4; our own trial",
    )
    bound_returns: str = setting(
        "all",
        "whose targets --bound-by-return bounds: all, only those of the agent's own steps, or off: none",
        choices=("all", "own", "off"),
    )
    reward: str = setting(
        "sign",
        "how points become rewards: sign, log (sign(r) log(1 + |r|)), root (a tenth of the root), or unchanged points",
        choices=("sign", "log", "root", "points"),
        source=f"sign: {MNIH}; log: {HESTER}",
    )
    margin: float = setting(0.8, "how far a demonstrated action must exceed the others", "value", HESTER, least=0)
    margin_weight: float = setting(
        1.0,
        "weight of the large-margin loss on demonstrated decisions; 0: none",
        "factor",
        f"{HESTER}, equation 2",
        least=0,
    )
    margin_anneal_steps: int = setting(
        10_000, "own steps over which imitation fades to 0: margins and conservative loss; 0: never", "steps", least=0
    )
    margin_anneal_rule: str = setting(
        "points",
        "when imitation fades: steps: from the first own step on; points: while the agent's last 10 episodes score as "
        "much as the demonstrated ones, or no more than random play; it returns while they are between the two",
        source="our own trial",
        choices=("steps", "points"),
    )
    balance_actions: bool = setting(
        False, "imitation counts all actions alike, so that rare ones are not lost among no-ops"
    )
    change_weight: float = setting(
        1.0,
        "how much the imitation of a decision at which the demonstrator changed the action counts, beside 1 for one at "
        "which it stayed the same",
        "times",
        "after Wen et al. 2021; our own choice",
        least=1,
    )
    start_weight: float = setting(
        1.0,
        "how much the imitation of an episode's first decision counts; it falls to 1 over 75 decisions",
        "times",
        "our own",
        least=1,
    )
    equivalent_actions: bool = setting(
        False,
        "actions that would have had the same effect as a demonstrated one are learned from and imitated like it",
    )
    imitate_above_value: bool = setting(
        False,
        "the margin counts only where the recorded return is above the agent's value of the action, or is not known",
        source="Nair et al. 2018, section IV-C; Oh et al. 2018",
    )
    imitate_own: float = setting(
        0.0,
        "share of the agent's own episodes, those with the most points, that join the demonstrations and are imitated "
        "as long as those are",
        "share of the last 100 episodes",
        "after Oh et al. 2018; our own choice",
        least=0,
        most=1,
    )
    bad_margin: float = setting(
        0.0,
        "how far an action in a bad clip must fall below the best other one; 0: bad clips are only left out",
        "value",
        least=0,
    )
    conservative_weight: float = setting(
        0.0,
        "weight of the conservative loss on demonstrated decisions; 0: none",
        "factor",
        "Kumar et al. 2020, equation 4",
        least=0,
    )
    calibrate: bool = setting(
        False,
        "the conservative loss lowers no action's value below the recorded return, where that is known",
        source="Nakamoto et al. 2023, equation 5",
    )
    shift_pixels: int = setting(
        4,
        "how far a batch's pictures are shifted at random; 0: not at all",
        "pixels",
        "Kostrikov et al. 2021, section 3; our own trial",
        least=0,
        most=16,
    )
    l2_weight: float = setting(0.0, "weight of the squared weights in the loss", "factor", f"1e-5 in {HESTER}", least=0)
    td_loss: str = setting("huber", "loss of a temporal-difference error", choices=("huber", "squared"), source=MNIH)
    optimizer: str = setting("adam", "optimization method", choices=("adam", "rmsprop", "rmsprop-centred"))
    learning_rate: float = setting(
        1e-4, "size of an update", source="Kingma and Ba 2015; our own trial", least=1e-9, most=1
    )
    optimizer_decay: float = setting(0.95, "decay of RMSProp's averages", "per update", MNIH, least=0, most=0.999999)
    optimizer_epsilon: float = setting(
        1e-5,
        "constant that keeps the optimizer from dividing by 0",
        source="our own trial; 1.5e-4 in Hessel et al. 2018",
        least=1e-12,
        most=1,
    )
    gradient_norm: float = setting(
        10.0, "norm to which the gradient is clipped; 0: never", source="Wang et al. 2016", least=0
    )
    target_update_steps: int = setting(
        500, "updates between copies to the target network", "updates", f"10,000 in {MNIH}", least=1
    )

    reset_every: int = setting(
        0,
        "updates after pretraining between resets of the dense layers to new initial weights; 0: never",
        "updates",
        "Nikishin et al. 2022",
        least=0,
    )

    # Prioritised sampling
    sampling: str = setting("uniform", "how transitions are sampled", choices=("uniform", "prioritised"))
    priority_exponent: float = setting(
        0.6, "how much priorities count (alpha)", "exponent", f"{SCHAUL}; 0.4 in Hester et al. 2018", least=0, most=1
    )
    importance_exponent: float = setting(
        0.4, "importance-sampling exponent (beta) at the start", "exponent", SCHAUL, least=0, most=1
    )
    importance_exponent_end: float = setting(1.0, "the same at the last step", "exponent", SCHAUL, least=0, most=1)
    priority_bonus: float = setting(
        0.001, "priority added to the agent's own transitions", "TD error", HESTER, least=1e-9
    )
    seeded_priority_bonus: float = setting(1.0, "priority added to seeded transitions", "TD error", HESTER, least=1e-9)

    # Exploring
    epsilon_start: float = setting(
        1.0, "epsilon, the probability of a random action, at the first step", "probability", MNIH, least=0, most=1
    )
    epsilon_seeded: float = setting(
        0.1,
        "the same for an agent that was pretrained or starts from another run",
        "probability",
        "our own choice",
        least=0,
        most=1,
    )
    epsilon_end: float = setting(
        0.02,
        "the same after the schedule",
        "probability",
        "0.1 in Mnih et al. 2015, 0.01 in Hester et al. 2018",
        least=0,
        most=1,
    )
    epsilon_steps: int = setting(25_000, "own steps over which it falls", "steps", f"1,000,000 in {MNIH}", least=0)

    # Evaluation, checkpoints and computing
    evaluate_every: int = setting(25_000, "own steps between evaluations while training; 0: none", "steps", least=0)
    evaluation_episodes: int = setting(10, "episodes of such an evaluation", "episodes", least=1, most=10_000)
    checkpoint_every: int = setting(10_000, "own steps between checkpoints", "steps", least=1)
    deterministic: bool = setting(False, "make the computation reproducible, bit for bit, on one machine")
    threads: int = setting(0, "processor threads for computing; 0: all", "threads", least=0, most=1024)

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            check(item, getattr(self, item.name))
        if self.epsilon_end > max(self.epsilon_start, self.epsilon_seeded):
            raise CoachError(f"--epsilon-end ({self.epsilon_end:g}) must not be greater than the epsilon at the start.")

        if self.quantiles and self.td_loss != "huber":
            raise CoachError(
                "--quantiles needs --td-loss huber: quantiles have no squared loss (--quantiles 0: values alone)."
            )

        needed = self.ages[-1] + self.most_n_steps
        if self.memory_size <= needed:
            raise CoachError(f"--memory-size must be greater than {needed}, the decisions that one sample needs.")
        if self.calibrate and not self.conservative_weight:
            raise CoachError("--calibrate needs --conservative-weight above 0: it changes that loss alone.")
        if self.imitate_above_value and not self.imitates:
            raise CoachError("--imitate-above-value needs --margin-weight above 0: it changes that loss alone.")
        if self.imitate_own and not self.imitates:
            raise CoachError("--imitate-own needs --margin-weight above 0: it adds to that loss alone.")

    @property
    def ages(self) -> tuple[int, ...]:
        """Ages of the observations in a stack, in decisions, newest first."""
        return (*range(self.stack), *OLDER_AGES[: self.older_observations])

    @property
    def most_n_steps(self) -> int:
        """The most steps of reward in any return."""
        return max(self.n_steps, self.n_steps_start)

    @property
    def bounds_targets(self) -> bool:
        """Whether recorded returns bound any targets."""
        return self.bound_by_return and self.bound_returns != "off"

    @property
    def imitates(self) -> bool:
        """Whether there is a large-margin loss."""
        return self.margin_weight > 0.0

    def to_json(self) -> str:
        """Return the fields as a JSON object."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> TrainConfig:
        """Read a saved configuration. Raises CoachError for unknown keys and wrong types."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise CoachError(f"Cannot read the saved configuration: {error}.") from error
        if not isinstance(values, dict):
            raise CoachError("The saved configuration is not a JSON object.")
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> TrainConfig:
        """Make a configuration of its fields as JSON has them. Raises CoachError for unknown keys and wrong types."""
        values = dict(saved)
        values = {**ADDED_LATER, **values}
        known = {item.name: item for item in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise CoachError(f"The saved configuration has unknown settings: {', '.join(unknown)}.")
        if isinstance(values.get("seed_from"), list):
            values["seed_from"] = tuple(values["seed_from"])
        return cls(**values)


def run_config(folder: RunFolder) -> TrainConfig:
    """Return the configuration of a run. Raises CoachError if it is not readable."""
    config = folder.read().config
    try:
        return TrainConfig.from_dict(config)
    except CoachError as error:
        raise CoachError(f"The run {folder.path} is not readable ({str(error).rstrip('.')}).") from error


def preset(name: str) -> TrainConfig:
    """Return the configuration of a preset; raises CoachError for an unknown one."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise CoachError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.{hint}")
    return TrainConfig(**PRESETS[name])
