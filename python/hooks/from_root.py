"""What the repository's root gives to pip: maturin's hooks, called in the folder `python`, where the package is."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maturin

_PACKAGE = Path(__file__).resolve().parent.parent


def _in_package(hook: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        before = Path.cwd()
        os.chdir(_PACKAGE)
        try:
            return hook(*arguments, **named)
        finally:
            os.chdir(before)

    return call


build_wheel = _in_package(maturin.build_wheel)
build_editable = _in_package(maturin.build_editable)
get_requires_for_build_wheel = _in_package(maturin.get_requires_for_build_wheel)
get_requires_for_build_editable = _in_package(maturin.get_requires_for_build_editable)
prepare_metadata_for_build_wheel = _in_package(maturin.prepare_metadata_for_build_wheel)
prepare_metadata_for_build_editable = _in_package(maturin.prepare_metadata_for_build_editable)
