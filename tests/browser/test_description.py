"""The description of the API against the server, by a program that makes requests of it."""

import subprocess
import sys
from pathlib import Path


def test_no_request_gets_an_answer_that_is_not_described(panel, tmp_path):
    panel.send("--identity", "3", "--channel", "cam1")
    panel.send("--identity", "3")
    program = Path(sys.executable).with_name("schemathesis")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    done = subprocess.run(
        [program, "run", f"{panel.url}/api/v1/openapi.json", "--checks", checks, "--exclude-path", "/api/v1/events"]
        + ["--max-examples", "25", "--seed", "1", "--phases", "examples,coverage,fuzzing", "--request-timeout", "20"]
        + ["--no-color", "--suppress-health-check", "all"],
        capture_output=True,
        # It leaves files where it runs.
        cwd=tmp_path,
        encoding="utf-8",
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "panicked" not in panel.server.output
