"""This module turns small loops into machine code, keeps it on disk, and loads it without loading the compiler.

Loading numba and its registries takes half a second in every process, more than the audit of a county. The loops here
take flat arrays and numbers only and allocate nothing, so their machine code stands alone: numba compiles it once per
machine, and llvmlite maps it in within some hundredths of a second.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

_NUMBERS = {"f8": ctypes.c_double, "i8": ctypes.c_int64}
_FORMAT = b"mapapp machine code 1\n"
_ALLOWED = {"hypot", "sqrt"}  # what the loops may call outside themselves

_loops: dict[str, Loop] = {}
_lock = threading.Lock()
_state: dict[str, Any] = {}  # "path" once looked for, "functions" and "engine" once loaded, "failed" when it cannot be


class Loop:
    """One loop: called with arrays and numbers, it runs as machine code without the interpreter's lock.

    Arrays must be of the very type of the signature, and those that the loop fills (``!``) contiguous; a scattered one that
    it only reads is copied. The loop returns an int.
    """

    def __init__(self, source: Callable[..., int], signature: str) -> None:
        self.source, self.name = source, source.__name__
        self.types = [t.rstrip("!") for t in signature.split()]
        self._filled = [t.endswith("!") for t in signature.split()]
        self._pointers = [_array_type(t) for t in self.types]

    def __call__(self, *values: Any) -> int:
        """Run the loop."""
        load()
        whole = [
            v if p is None else self._array(v, p, f)
            for v, p, f in zip(values, self._pointers, self._filled, strict=True)
        ]  # kept until the loop is through
        given = [v if p is None else v.ctypes.data for v, p in zip(whole, self._pointers, strict=True)]
        out = ctypes.c_int64()
        _state["functions"][self.name](ctypes.byref(out), None, *given)
        return out.value

    def _array(self, value: Any, wanted: np.dtype[Any], filled: bool) -> Any:
        if value.dtype != wanted and not (value.dtype == bool and wanted == np.uint8):
            raise TypeError(f"{self.name} wants {wanted}, and was given {value.dtype}")
        if value.flags.c_contiguous:
            return value
        if filled:
            raise TypeError(f"{self.name} fills contiguous arrays only")
        return np.ascontiguousarray(value)

    def prototype(self) -> Any:
        """Return the C function type: where the result goes, where an exception would, then the arguments."""
        kinds = [_NUMBERS.get(t, ctypes.c_void_p) for t in self.types]
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *kinds)  # type: ignore[arg-type]  # all are C types


def _array_type(kind: str) -> np.dtype[Any] | None:
    """Return what an array for such an argument holds: ``f8**`` is an array of addresses."""
    return None if "*" not in kind else np.dtype("u8" if kind.endswith("**") else kind[:-1])


def loop(signature: str) -> Callable[[Callable[..., int]], Loop]:
    """Declare a function as a loop.

    ``signature`` names the type of each argument: ``f8`` and ``i8`` numbers, ``f8* i8* i4* u8* u1* i1*`` arrays (a bool array
    counts as ``u1*``), ``f8**`` eight addresses; ``!`` stands behind an array that is filled. The function may use numbers, ``np.floor``, ``np.hypot`` and indices that are not negative, nothing else.
    """

    def declare(source: Callable[..., int]) -> Loop:
        made = _loops[source.__name__] = Loop(source, signature)
        return made

    return declare


def ready() -> bool:
    """Whether the machine code is loaded, or lies on disk and needs no compiling."""
    if "functions" in _state:
        return True
    if "path" not in _state:
        _state["path"] = next((p for p in _places() if p.exists()), None)
    return _state["path"] is not None and "failed" not in _state


def usable() -> bool:
    """Whether the loops can run here at all: not where machine code could be neither loaded nor made."""
    return "failed" not in _state


def load() -> None:
    """Load the machine code; compile it first where this machine has none.

    Raises
    ------
    RuntimeError
        When neither is possible; `usable` says so from then on.
    """
    if "functions" in _state:
        return
    with _lock:
        if "functions" in _state:
            return
        try:
            _link(_stored() or _made())
        except Exception as reason:
            _state["failed"] = reason
            raise RuntimeError("the compiled loops cannot run on this machine") from reason


def prepare() -> bool:
    """Load or compile where that is possible; return whether it was."""
    with suppress(RuntimeError):
        load()
    return usable()


def _places() -> list[Path]:
    """Return where the code may lie: beside the modules, else in the user's own cache."""
    digest = hashlib.sha256(_FORMAT)
    for file in sorted({loop.source.__code__.co_filename for loop in _loops.values()} | {__file__}):
        digest.update(Path(file).read_bytes())
    name = f"loops-{sys.platform}-{os.uname().machine if hasattr(os, 'uname') else 'x'}-{digest.hexdigest()[:16]}.bin"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [Path(__file__).parent / "__pycache__" / name, cache / "mapapp" / name]


def _target() -> tuple[Any, str]:
    """Return this processor as llvmlite knows it, and its name with all it can do."""
    from llvmlite import binding  # type: ignore[import-untyped]  # no type information is shipped

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    cpu, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )
    return machine, f"{binding.get_default_triple()} {cpu} {features}"


def _stored() -> bytes | None:
    """Return what lies on disk; None where nothing does, or where it is damaged or of another processor."""
    for path in _places():
        with suppress(OSError):
            data = path.read_bytes()
            body = data[len(_FORMAT) + 32 :]
            if data.startswith(_FORMAT) and hashlib.sha256(body).digest() == data[len(_FORMAT) :][:32]:
                head = json.loads(body[: body.index(b"\n")])
                if head["processor"] == _target()[1]:
                    return body
    return None


def _made() -> bytes:
    """Compile all loops into one object, and keep it on disk where a folder can be written."""
    import numba
    from llvmlite import binding

    kinds = {
        "f8": numba.float64,
        "i8": numba.int64,
        "i4": numba.int32,
        "u8": numba.uint64,
        "u1": numba.uint8,
        "i1": numba.int8,
    }
    names, whole = {}, None
    for loop in _loops.values():
        arguments = [_pointer(kinds[t.rstrip("*")], t.count("*")) for t in loop.types]
        made = numba.njit(numba.int64(*arguments), error_model="numpy")(loop.source)
        (result,) = made.overloads.values()
        names[loop.name] = result.fndesc.mangled_name
        part = binding.parse_assembly(result.library.get_llvm_str())
        whole = whole.link_in(part) or whole if whole is not None else part
    machine, processor = _target()
    data: bytes = machine.emit_object(_alone(whole, set(names.values()), machine))
    body = json.dumps({"names": names, "processor": processor}).encode() + b"\n" + data
    for path in _places():
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_bytes(_FORMAT + hashlib.sha256(body).digest() + body)
            beside.replace(path)
            break
    return body


def _pointer(kind: Any, stars: int) -> Any:
    from numba import types

    return _pointer(types.CPointer(kind), stars - 1) if stars else kind  # type: ignore[no-untyped-call]  # numba has no types


def _alone(whole: Any, wanted: set[str], machine: Any) -> Any:
    """Drop what only the interpreter would call, and make sure that what is left calls nothing unknown."""
    from llvmlite import binding

    for function in whole.functions:
        if function.name not in wanted and not function.is_declaration:
            function.linkage = "internal"
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options())
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, builder)
    strange = {f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")} - _ALLOWED
    if strange:
        raise RuntimeError(f"the loops call {', '.join(sorted(strange))}")
    return whole


def _link(body: bytes) -> None:
    """Map the code in and note where each loop begins."""
    from llvmlite import binding

    head, _, data = body.partition(b"\n")
    machine, _ = _target()
    library = ctypes.CDLL(None) if os.name == "posix" else ctypes.CDLL("msvcrt")
    for name in _ALLOWED:
        binding.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(data))
    engine.finalize_object()
    functions = {
        name: _loops[name].prototype()(engine.get_function_address(symbol))
        for name, symbol in json.loads(head)["names"].items()
    }
    _state.update(engine=engine, functions=functions)
