"""The LUT box in seven lines: receives LUTs, and publishes each channel as a texture. Ctrl-C ends it."""
# mypy: allow-untyped-defs, allow-untyped-calls
# pyright: basic

from virtual_gpu_lut_box import OpenGradeIOServer, OpenGradeIOLUTStreamer
streamer = OpenGradeIOLUTStreamer(stream_name="OpenGradeIO-LUT")
def lut_callback(lut_data, channel_name=None):
    streamer.process_lut(lut_data, channel_name)
server = OpenGradeIOServer(host="127.0.0.1", port=8089, lut_callback=lut_callback)
server.start()

server.wait()
