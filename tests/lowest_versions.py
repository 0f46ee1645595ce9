"""Print pip constraints that pin every dependency to the oldest version that setup.cfg allows."""

from __future__ import annotations

import configparser
import re
from pathlib import Path


def main() -> None:
    config = configparser.ConfigParser()
    config.read(Path(__file__).parent.parent / "setup.cfg")
    required = "".join(
        [config["options"]["install_requires"], *(config["options.extras_require"][e] for e in ("test", "docs"))]
    )
    for name, lowest in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])? >= ([\w.]+)", required, flags=re.MULTILINE):
        print(f"{name} == {lowest}")


if __name__ == "__main__":
    main()
