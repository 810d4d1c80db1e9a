"""GPUs that exist on paper: a device for ggml, written with ctypes, that accepts every operation and never holds a byte.

llama.cpp places a model on it and plans its buffers as on CUDA: the same alignment, the same padding of quantized rows, the same
operations brought over from the host. So a dry run on any machine shows what a real card would have to hold.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

ROW, ALIGNMENT, HOST_ALIGNMENT = 512, 128, 32
_POINTER, _SIZE, _FLAG, _INT, _TEXT = c.c_void_p, c.c_size_t, c.c_bool, c.c_int, c.c_char_p
BATCHED = 32  # CUDA takes over a product with host weights from this many tokens on


def _struct(name: str, *pointers: str, first: tuple[tuple[str, Any], ...] = ()) -> type[c.Structure]:
    return type(name, (c.Structure,), {"_fields_": [*first, *((pointer, _POINTER) for pointer in pointers)]})


Device = _struct(
    "Device",
    *(
        "name",
        "description",
        "memory",
        "type",
        "properties",
        "start",
        "buffers",
        "host_buffers",
        "from_host",
        "supports",
    ),
    *("supports_buffers", "takes_over", "event_new", "event_free", "event_wait", "registry", "context"),
)
BufferType = _struct(
    "BufferType",
    *("name", "allocate", "allocate_many", "alignment", "most", "size", "size_many", "is_host", "device", "context"),
)
Registry = _struct("Registry", "name", "count", "get", "address", "context", first=(("version", _INT),))
Backend = _struct(
    "Backend",
    *(
        "guid",
        "name",
        "free",
        "set",
        "get",
        "set_2d",
        "get_2d",
        "copy",
        "wait",
        "plan",
        "plan_free",
        "plan_update",
        "plan_run",
    ),
    *("run", "record", "wait_event", "optimize", "device", "context"),
)
Buffer = _struct("Buffer", "free", "base", "init", "fill", "set", "get", "set_2d", "get_2d", "copy", "clear", "reset")


class Properties(c.Structure):
    """What a device says of itself; the five flags: asynchronous, host buffers, buffers from host memory, events, mapping."""

    _fields_ = (
        *(
            ("name", _POINTER),
            ("description", _POINTER),
            ("free", _SIZE),
            ("total", _SIZE),
            ("type", _INT),
            ("id", _POINTER),
        ),
        ("flags", _FLAG * 5),
    )


class Tensor(c.Structure):
    """The head of ggml's tensor, as far as sizes and names go."""

    _fields_ = (
        *(("type", _INT), ("buffer", _POINTER), ("ne", c.c_int64 * 4), ("nb", _SIZE * 4), ("op", _INT)),
        *(
            ("parameters", c.c_int32 * 16),
            ("flags", c.c_int32),
            ("sources", _POINTER * 10),
            ("view", _POINTER),
            ("offset", _SIZE),
        ),
        *(("data", _POINTER), ("name", c.c_char * 64)),
    )


class FakeGpus:
    """`count` devices of `total` bytes, registered with ggml."""

    def __init__(self, library: c.CDLL, count: int, total: int) -> None:
        self.library, self.total = library, total
        self._kept: list[object] = []
        for name, result, arguments in (
            ("ggml_nbytes", _SIZE, [_POINTER]),
            ("ggml_row_size", _SIZE, [_INT, c.c_int64]),
            ("ggml_is_quantized", _FLAG, [_INT]),
            ("ggml_op_name", _TEXT, [_INT]),
            ("ggml_nrows", c.c_int64, [_POINTER]),
            ("ggml_backend_buffer_init", _POINTER, [_POINTER, Buffer, _POINTER, _SIZE]),
            ("ggml_backend_register", None, [_POINTER]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self.registry = self.keep(Registry(version=2))
        self.devices = [self._device(number) for number in range(count)]
        self.registry.name = self._say("CUDA")
        self.registry.count = self._call(_SIZE, _POINTER)(lambda _: count)
        self.registry.get = self._call(_POINTER, _POINTER, _SIZE)(lambda _, number: c.addressof(self.devices[number]))
        self.registry.address = self._call(_POINTER, _POINTER, _TEXT)(lambda *_: None)
        if count:
            library.ggml_backend_register(c.addressof(self.registry))

    def keep(self, thing: Any) -> Any:
        """Hold on to what C code points to."""
        self._kept.append(thing)
        return thing

    def _call(self, result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], int]:
        """A Python function as a C pointer that lives as long as the devices."""
        kind = c.CFUNCTYPE(result, *arguments)
        return lambda function: c.cast(self.keep(kind(function)), _POINTER).value or 0

    def _text(self, text: str) -> int:
        return c.cast(self.keep(_TEXT(text.encode())), _POINTER).value or 0

    def _say(self, text: str) -> int:
        address = self._text(text)
        return self._call(_POINTER, _POINTER)(lambda _: address)

    def _size(self, tensor: int) -> int:
        """Bytes a tensor takes: CUDA pads the last row of a quantized one."""
        size, head = int(self.library.ggml_nbytes(tensor)), Tensor.from_address(tensor)
        rest = head.ne[0] % ROW
        if rest and self.library.ggml_is_quantized(head.type):
            size += int(self.library.ggml_row_size(head.type, ROW - rest))
        return size

    def _buffers(self, name: str, device: int, *, host: bool) -> c.Structure:
        kind = self.keep(BufferType(device=device, name=self._say(name)))

        def allocate(buffers: int, size: int) -> Any:
            nothing = self._call(None, _POINTER)(lambda *_: None)
            made = Buffer(free=nothing, base=self._call(_POINTER, _POINTER)(lambda *_: 0x1000), clear=nothing)
            return self.library.ggml_backend_buffer_init(buffers, made, None, size)

        kind.allocate = self._call(_POINTER, _POINTER, _SIZE)(allocate)
        kind.alignment = self._call(_SIZE, _POINTER)(lambda *_: HOST_ALIGNMENT if host else ALIGNMENT)
        if not host:
            kind.size = self._call(_SIZE, _POINTER, _POINTER)(lambda _, tensor: self._size(tensor))
        kind.is_host = self._call(_FLAG, _POINTER)(lambda *_: host)
        return kind

    def _device(self, number: int) -> c.Structure:
        device = self.keep(Device())
        own, name = c.addressof(device), f"CUDA{number}"
        buffers, host = self._buffers(name, own, host=False), self._buffers("CUDA_Host", own, host=True)
        device.name = device.description = self._say(name)
        device.memory = self._call(None, _POINTER, c.POINTER(_SIZE), c.POINTER(_SIZE))(self._memory)
        device.type = self._call(_INT, _POINTER)(lambda _: 1)
        device.properties = self._call(None, _POINTER, c.POINTER(Properties))(
            lambda _, out: self._describe(name, out[0])
        )
        device.start = self._call(_POINTER, _POINTER, _TEXT)(lambda *_: self._backend(device, number))
        device.buffers = self._call(_POINTER, _POINTER)(lambda _: c.addressof(buffers))
        device.host_buffers = self._call(_POINTER, _POINTER)(lambda _: c.addressof(host))
        device.supports = self._call(_FLAG, _POINTER, _POINTER)(lambda *_: True)
        device.supports_buffers = self._call(_FLAG, _POINTER, _POINTER)(lambda _, other: other == c.addressof(buffers))
        device.takes_over = self._call(_FLAG, _POINTER, _POINTER)(lambda _, tensor: self._rows(tensor) >= BATCHED)
        device.event_new = self._call(_POINTER, _POINTER)(
            lambda owner: c.addressof(self.keep((_POINTER * 2)(owner, None)))
        )
        device.event_free = device.event_wait = self._call(None, _POINTER, _POINTER)(lambda *_: None)
        device.registry = c.addressof(self.registry)
        return device

    def _memory(self, _: int, free: Any, total: Any) -> None:
        free[0] = total[0] = self.total

    def _describe(self, name: str, out: Properties) -> None:
        out.name = out.description = self._text(name)
        out.free = out.total = self.total
        out.type, out.flags = 1, (_FLAG * 5)(True, True, False, True, False)

    def _rows(self, tensor: int) -> int:
        head = Tensor.from_address(tensor)
        operation = self.library.ggml_op_name(head.op)
        known = {b"GET_ROWS": 0, b"MUL_MAT": head.ne[1], b"MUL_MAT_ID": head.ne[2], b"ROPE": head.ne[2]}
        return int(known[operation]) if operation in known else int(self.library.ggml_nrows(tensor))

    def _backend(self, device: c.Structure, number: int) -> int:
        guid = self.keep(c.create_string_buffer(bytes(range(number, number + 16)), 16))
        backend = self.keep(Backend(guid=c.addressof(guid), name=device.name, device=c.addressof(device)))
        nothing = self._call(None, _POINTER)(lambda *_: None)
        backend.free = backend.wait = nothing
        backend.run = self._call(_INT, _POINTER, _POINTER)(lambda *_: 0)
        backend.record = backend.wait_event = self._call(None, _POINTER, _POINTER)(lambda *_: None)
        return c.addressof(backend)
