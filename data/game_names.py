"""The names of games as people write them."""

from __future__ import annotations

import re

_NAMES = {
    "Atlantis2": "Atlantis II",
    "BattleZone": "Battlezone",
    "BeamRider": "Beamrider",
    "Darkchambers": "Dark Chambers",
    "Et": "E.T.",
    "Hero": "H.E.R.O.",
    "Jamesbond": "James Bond 007",
    "Kaboom": "Kaboom!",
    "Koolaid": "Kool-Aid Man",
    "KungFuMaster": "Kung-Fu Master",
    "MarioBros": "Mario Bros.",
    "MontezumaRevenge": "Montezuma's Revenge",
    "MrDo": "Mr. Do!",
    "MsPacman": "Ms. Pac-Man",
    "Pacman": "Pac-Man",
    "Pitfall": "Pitfall!",
    "Pitfall2": "Pitfall II",
    "Qbert": "Q*bert",
    "Riverraid": "River Raid",
    "StarGunner": "Stargunner",
    "TicTacToe3D": "3-D Tic-Tac-Toe",
    "Trondead": "Tron: Deadly Discs",
    "UpNDown": "Up'n Down",
    "WizardOfWor": "Wizard of Wor",
    "YarsRevenge": "Yars' Revenge",
}
"""Names that are not the words of the ALE id."""


def display_name(game: str) -> str:
    """Return the name of a game for people, from its ALE id: "Space Invaders" of "SpaceInvaders", "Q*bert" of "Qbert".

    For windows and messages; files, options and JSON have the ALE id.
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", game)
    return _NAMES.get(game, words)
