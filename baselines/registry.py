"""Find a method by name: the built-in table, installed plug-ins, or a class in a file."""

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from baselines.method import Method, MethodError, MethodInfo

GROUP: Final = "dmef_bench.methods"
BUILT_IN: Final = {
    "copy-reference": "baselines.copy_reference:CopyReference",
    "invert-response": "baselines.invert_response:InvertResponse",
    "mertens": "baselines.mertens:Mertens",
    "gdc": "baselines.gdc:GDC",
    "ahdrnet": "baselines.ahdrnet.method:AHDRNetMethod",
    "fshdr": "baselines.fshdr.method:FSHDRMethod",
    "hdr-transformer": "baselines.hdr_transformer.method:HDRTransformerMethod",
    "sctnet": "baselines.sctnet.method:SCTNetMethod",
    "bracketire": "baselines.bracketire.method:BracketIREMethod",
    "safnet": "baselines.safnet.method:SAFNetMethod",
    "meflut": "baselines.meflut.method:MEFLUTMethod",
}
_FILE_SPEC: Final = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/]+)")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def resolve(spec: str) -> type[Method]:
    """The method class that `spec` names.

    Args:
        spec: a built-in name, the name of an installed plug-in, or "path/to/file.py:Class".

    Raises:
        MethodError: there is no such method, or what was found is broken; the message says which
            and why.
    """
    if found := _FILE_SPEC.fullmatch(spec):
        return _from_file(Path(found["file"]), found["name"])
    if spec.endswith(".py"):
        raise MethodError(f"{spec}: say which class of this file is the method, as {spec}:Class")
    if spec in BUILT_IN:
        module, name = BUILT_IN[spec].split(":")
        built_in: type[Method] = getattr(importlib.import_module(module), name)
        return built_in
    plugs = _plug_ins()
    if spec in plugs:
        return _from_plug_in(plugs[spec][0])
    known = [*BUILT_IN, *plugs]
    near = difflib.get_close_matches(spec.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}."
    raise MethodError(f"there is no method {spec!r}; {hint}")


def available() -> list[tuple[str, MethodInfo | MethodError]]:
    """Every built-in method and installed plug-in, each with its description or what is wrong.

    A plug-in under the name of a built-in method, or of a plug-in listed before it, is never
    used: it has a line of its own, with an error that says so.
    """
    listed: list[tuple[str, MethodInfo | MethodError]] = [
        (name, resolve(name).info) for name in BUILT_IN
    ]
    for name, points in _plug_ins().items():
        for place, point in enumerate(points):
            if name in BUILT_IN:
                listed.append((name, _hidden(point, "a built-in method")))
            elif place > 0:
                listed.append((name, _hidden(point, f"the plug-in {_described(points[0])}")))
            else:
                try:
                    listed.append((name, _from_plug_in(point).info))
                except MethodError as error:
                    listed.append((name, error))
    return listed


def _plug_ins() -> dict[str, list[EntryPoint]]:
    """Installed plug-ins by name, in an order that does not depend on the search path."""
    plugs: dict[str, list[EntryPoint]] = {}
    unique = {(point.name, point.value): point for point in entry_points(group=GROUP)}
    for _, point in sorted(unique.items()):
        plugs.setdefault(point.name, []).append(point)
    return plugs


def _described(point: EntryPoint) -> str:
    package = f" of package {point.dist.name}" if point.dist is not None else ""
    return f"{point.value}{package}"


def _hidden(point: EntryPoint, by: str) -> MethodError:
    return MethodError(
        f"the plug-in {_described(point)} is not used: its name {point.name!r} belongs to {by}"
    )


def _from_plug_in(point: EntryPoint) -> type[Method]:
    where = f"the plug-in {point.name!r} ({_described(point)})"
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise MethodError(f"{where} can't be imported: {_one_line(error)}") from error
    method = _checked(found, where)
    if method.info.name != point.name:
        raise MethodError(
            f"{where} calls itself {method.info.name!r}; its entry point needs the same name"
        )
    return method


def _from_file(path: Path, name: str) -> type[Method]:
    if not path.is_file():
        raise MethodError(f"{path}: there is no such file")
    path = path.resolve()
    module_name = f"dmef_method_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise MethodError(f"{path}: Python can't import this file")
    module = importlib.util.module_from_spec(spec)
    # Last on the search path: the file's neighbours are found and shadow nothing.
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise MethodError(f"{path} can't be imported: {_one_line(error)}") from error
    if not hasattr(module, name):
        classes = [
            key
            for key, value in vars(module).items()
            if inspect.isclass(value) and issubclass(value, Method) and value is not Method
        ]
        has = f"it has {', '.join(classes)}" if classes else "it has no subclass of Method at all"
        raise MethodError(f"{path} has no class {name!r}; {has}")
    method = _checked(getattr(module, name), f"{name} in {path}")
    if method.info.name in BUILT_IN:
        raise MethodError(
            f"{name} in {path} calls itself {method.info.name!r}, which is a built-in method; "
            "give its info another name, so that their results stay apart"
        )
    return method


def _checked(found: object, where: str) -> type[Method]:
    """`found` as a method class, or a MethodError that says what it lacks."""
    if not inspect.isclass(found) or not issubclass(found, Method):
        raise MethodError(f"{where} is no subclass of baselines.Method")
    if inspect.isabstract(found):
        raise MethodError(f"{where} does not write fuse(self, bracket)")
    info = getattr(found, "info", None)
    if not isinstance(info, MethodInfo):
        raise MethodError(f"{where} has no class attribute info = MethodInfo(...)")
    if not _NAME.fullmatch(info.name):
        raise MethodError(
            f"{where} calls itself {info.name!r}; a name has lower case letters, digits and hyphens"
        )
    return found


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
