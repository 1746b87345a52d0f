"""What `--metrics` answers, read by Prometheus' own parser."""

import re
import urllib.request

from client import Client, random_bits
from prometheus_client.parser import text_string_to_metric_families

NAME = 'wall "A"\\\n2'


def samples(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_every_sample_is_read_and_true(start_server):
    server = start_server("--metrics", "127.0.0.1:0")
    server.wait_for_output("metrics are on ")
    url = re.search(r"metrics are on (\S+)", server.output)[1]
    assert samples(url)["vglb_lut_seconds_count", ()] == 0
    with Client(server.port) as client:
        for _ in range(3):
            assert client.set_lut(NAME, random_bits(2, 1))["result"] == 1
        assert client.request({"command": "dance"})["result"] == 0
        now = samples(url)
        assert now["vglb_connections_open", ()] == 1
    labels = (("channel", NAME), ("stream", "vglb-lut-" + NAME))
    assert now["vglb_luts_total", labels] == 3
    assert now["vglb_lut_bytes_total", labels] == 3 * 8 * 16
    assert now["vglb_revision", labels] == 3
    assert now["vglb_refused_total", (("reason", "command"),)] == 1
    for name in ["vglb_lut_seconds", "vglb_publish_seconds"]:
        assert now[f"{name}_count", ()] == 3
        assert now[f"{name}_bucket", (("le", "+Inf"),)] == 3
        assert now[f"{name}_sum", ()] > 0
