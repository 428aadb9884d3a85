"""The scenarios, by section of the fault table; importing this registers all of them."""
import importlib
import pathlib

for _path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
    if _path.stem != "__init__":
        importlib.import_module(f"rows.{_path.stem}")
