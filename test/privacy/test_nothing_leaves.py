"""What is imported through us writes nothing outside its temporary folder and looks up no name; onnxruntime would do both."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "rppg_ros" / "weights" / "mmrphys-rgb.onnx"

# Stands in for the C library's resolver and connect in front of every other library, and keeps what they were asked for.
WATCH = r"""
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
static void note(const char *what, const char *name) {
    FILE *f = fopen(getenv("WATCHED"), "a");
    if (f) { fprintf(f, "%s %s\n", what, name ? name : ""); fclose(f); }
}
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    note("getaddrinfo", node);
    return EAI_NONAME;
}
struct hostent *gethostbyname(const char *name) { note("gethostbyname", name); return NULL; }
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (address->sa_family == AF_INET || address->sa_family == AF_INET6) note("connect", "inet");
    return -1;
}
"""
SESSION = f"""
import time
import numpy as np
from rppg_ros.inference.factory import make_engine
engine = make_engine(model={str(MODEL)!r})
engine.infer(np.zeros((engine.plan.first, 36, 36, 3), np.float32), None, {{}})
time.sleep(2.0)
"""
PROGRAMS = {
    "an import of the factory": "import time; import rppg_ros.inference.factory; time.sleep(2.0)",
    "a session": SESSION,
    "a card": f"import time; from rppg_ros.inference.card import ModelCard; ModelCard.read({str(MODEL)!r}); time.sleep(2.0)",
}


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """Shared library that watches the resolver."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C compiler to build the watch on the resolver with")
    folder = tmp_path_factory.mktemp("shim")
    source, library = folder / "watch.c", folder / "watch.so"
    source.write_text(WATCH)
    subprocess.run([compiler, "-x", "c", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def run(program, home, shim, **changed):
    """Files that a program left in its home, and what the resolver was asked."""
    home.mkdir()
    watched = home.parent / f"{home.name}.watched"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_"))}
    environment = kept | {"HOME": str(home), "LD_PRELOAD": str(shim), "WATCHED": str(watched), **changed}
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"]
    done = subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return [path for path in home.rglob("*") if path.is_file()], watched.read_text() if watched.exists() else ""


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_written_and_no_name_is_looked_up(name, tmp_path, shim):
    files, asked = run(PROGRAMS[name], tmp_path / "home", shim)
    assert not files and not asked


def test_the_watch_sees(tmp_path, shim):
    """Else the test above would prove nothing."""
    program = "import socket\ntry:\n    socket.getaddrinfo('collector.example', 443)\nexcept OSError:\n    pass"
    _, asked = run(program, tmp_path / "home", shim)
    assert asked == "getaddrinfo collector.example\n"
