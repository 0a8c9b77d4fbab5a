"""The built-in layers explained, a file each: imported, they register what is known of them."""

from __future__ import annotations

from tinycnn.layers.registry import load_modules

load_modules(__name__, __path__)
