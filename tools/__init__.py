"""What writes generated files: each is committed to be read, and a test writes it again and compares."""

from __future__ import annotations

from pathlib import Path


def written() -> dict[Path, str]:
    """{each generated file: its text}."""
    import tinycnn
    from tinycnn import kernels
    from tools.doors import door
    from tools.microkernels import microkernels
    from tools.winograd_transforms import transforms

    package, folder = Path(tinycnn.__file__).parent, Path(kernels.__path__[0])
    return {
        folder / "microkernels.py": microkernels(),
        folder / "winograd_transforms.py": transforms(),
        package / "layers" / "__init__.py": door(package / "layers", lazy=False),
        package / "ops" / "__init__.py": door(package / "ops", lazy=True),
    }
