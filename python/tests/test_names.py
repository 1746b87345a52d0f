"""Every public name of the predecessor, where it was, with its arguments and their defaults."""

import importlib
import inspect

import pytest

import virtual_gpu_lut_box as vglb

SIGNATURES = {
    "OpenGradeIOServer": ["host='127.0.0.1'", "port=8089", "lut_callback=None"],
    "OpenGradeIOServer.start": [],
    "OpenGradeIOServer.stop": [],
    "OpenGradeIOServer.set_lut_callback": ["callback"],
    "OpenGradeIOLUTStreamer": ["stream_name='OpenGradeIO-LUT'", "quiet_mode=True"],
    "OpenGradeIOLUTStreamer.process_lut": ["lut_data", "channel_name=None"],
    "OpenGradeIOLUTStreamer.stop_streaming": [],
    "OpenGradeIOLUTStreamer.get_status": [],
    "VirtualGPULUTBoxServer": [
        "host='127.0.0.1'",
        "port=8089",
        "stream_name='OpenGradeIO-LUT'",
        "verbose=False",
        "info_logging=False",
        "lut_callback=None",
    ],
    "VirtualGPULUTBoxServer.start": [],
    "VirtualGPULUTBoxServer.stop": [],
    "VirtualGPULUTBoxServer.get_platform_info": [],
    "HaldConverter": ["lut_size=33"],
    "HaldConverter.lut_to_hald": ["lut"],
    "HaldConverter.hald_to_lut": ["hald"],
    "StreamingFactory.create_backend": ["name='virtual-gpu-lut-box'", "width=1089", "height=33", "platform_name=None"],
    "StreamingFactory.create_lut_streamer": ["name='virtual-gpu-lut-box'", "lut_size=33", "platform_name=None"],
    "StreamingFactory.register_backend": ["platform_name", "backend_class"],
    "StreamingFactory.get_available_backends": [],
    "StreamingFactory.is_platform_supported": ["platform_name=None"],
    "StreamingFactory.list_supported_formats": ["platform_name=None"],
    "StreamingFactory.get_platform_info": [],
    "StreamingFactory.get_current_platform": [],
    "StreamingBackend": ["name", "width", "height"],
    "StreamingBackend.initialize": [],
    "StreamingBackend.send_texture": ["texture_data"],
    "StreamingBackend.send_lut_texture": ["hald_image"],
    "StreamingBackend.cleanup": [],
    "StreamingBackend.is_available": [],
    "StreamingBackend.get_supported_formats": [],
    "StreamingBackend.validate_texture_data": ["texture_data"],
    "StreamingBackend.convert_texture_format": ["texture_data", "target_format"],
    "SpoutBackend": ["name", "width", "height", "quiet_mode=True"],
    "SyphonBackend": ["name", "width", "height"],
    "ProtocolHandler": [],
    "ProtocolHandler.parse_message": ["message"],
    "ProtocolHandler.process_set_lut_command": ["arguments"],
    "ProtocolHandler.create_response": ["success=True", "error=None"],
}

PLACES = {
    "virtual_gpu_lut_box.server": ["VirtualGPULUTBoxServer"],
    "virtual_gpu_lut_box.cli": ["main"],
    "virtual_gpu_lut_box.network": ["OpenGradeIOServer", "OpenGradeIOLUTStreamer"],
    "virtual_gpu_lut_box.network.server": ["OpenGradeIOServer"],
    "virtual_gpu_lut_box.network.protocol": ["ProtocolHandler"],
    "virtual_gpu_lut_box.network.lut_streamer": ["OpenGradeIOLUTStreamer"],
    "virtual_gpu_lut_box.lut": ["HaldConverter"],
    "virtual_gpu_lut_box.lut.hald_converter": ["HaldConverter"],
    "virtual_gpu_lut_box.gpu_texture_stream": ["StreamingBackend", "StreamingFactory"],
    "virtual_gpu_lut_box.gpu_texture_stream.base": [
        "StreamingBackend",
        "StreamingError",
        "PlatformNotSupportedError",
        "InitializationError",
        "TextureFormatError",
    ],
    "virtual_gpu_lut_box.gpu_texture_stream.factory": ["StreamingFactory", "PlatformNotSupportedError"],
    "virtual_gpu_lut_box.gpu_texture_stream.spout": ["SpoutBackend"],
    "virtual_gpu_lut_box.gpu_texture_stream.syphon": ["SyphonBackend"],
}

PROPERTIES = {
    "OpenGradeIOServer": ["is_running", "lut_callback"],
    "OpenGradeIOLUTStreamer": ["is_streaming", "current_lut_size"],
    "VirtualGPULUTBoxServer": ["is_running"],
    "StreamingBackend": ["initialized"],
}


def look_up(path):
    thing = vglb
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize("path", SIGNATURES)
def test_arguments_and_defaults(path):
    parameters = list(inspect.signature(look_up(path)).parameters.values())
    told = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters if p.name != "self"]
    wanted = SIGNATURES[path]
    assert told[: len(wanted)] == wanted
    # Whatever is new has a default, and most must be named.
    assert all("=" in parameter for parameter in told[len(wanted) :])


@pytest.mark.parametrize("module", PLACES)
def test_names_are_where_they_were(module):
    for name in PLACES[module]:
        found = getattr(importlib.import_module(module), name)
        if name != "main":
            assert found is getattr(vglb, name)


@pytest.mark.parametrize("name", PROPERTIES)
def test_properties(name):
    for attribute in PROPERTIES[name]:
        assert isinstance(inspect.getattr_static(getattr(vglb, name), attribute), property)


def test_context_managers():
    for name in ("OpenGradeIOServer", "VirtualGPULUTBoxServer", "StreamingBackend", "Receiver"):
        assert callable(getattr(vglb, name).__enter__)
        assert callable(getattr(vglb, name).__exit__)


def test_the_short_name_has_everything():
    short = importlib.import_module("vglb")
    for name in vglb.__all__:
        assert getattr(short, name) is getattr(vglb, name)


def test_everything_public_is_documented():
    for name in vglb.__all__:
        thing = getattr(vglb, name)
        if not inspect.isclass(thing):
            continue
        for attribute, value in vars(thing).items():
            documented = callable(value) or isinstance(value, (property, classmethod, staticmethod))
            if documented and not attribute.startswith("_"):
                assert inspect.getdoc(getattr(thing, attribute)), f"{name}.{attribute}"
