"""rppg-ros: the command line."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import NoReturn

from rppg_ros import __version__
from rppg_ros.commands import convert, evaluate, models, reproduce, train


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; its exit code, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="rppg-ros", description="Heart and breath from cameras, as ROS 2 nodes.")
    parser.add_argument("--version", action="version", version=f"rppg-ros {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    models.add_parser(commands)
    evaluate.add_parser(commands)
    convert.add_parser(commands)
    train.add_parser(commands)
    reproduce.add_parser(commands)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        _refuse(_of_command(parser, sys.argv[1:] if argv is None else argv), unknown)
    code: int = arguments.run(arguments)
    return code


def _of_command(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command, or command of a command, that the words name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for index, word in enumerate(words):
                if word in action.choices:
                    return _of_command(action.choices[word], words[index + 1 :])
    return parser


def _refuse(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """End with exit code 2, and name the nearest option that there is."""
    first = next((word for word in unknown if word.startswith("-")), unknown[0])
    near = difflib.get_close_matches(first.partition("=")[0], parser._option_string_actions, 1)
    parser.error(f"unrecognized arguments: {' '.join(unknown)}" + (f"; did you mean {near[0]}?" if near else ""))


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="run the nodes on a made-up person and show what they measure")
    demo.add_argument(
        "--source", default="demo:seconds=60,seed=3", help="what to play (see video_source); default: %(default)s"
    )
    demo.add_argument(
        "--model",
        default="",
        help="name of a shipped model, or .onnx file with a model card; none: POS; default: mmrphys-rgbt",
    )
    demo.add_argument(
        "--rate", type=float, default=0.0, help="speed; 1: true speed; default 0: as fast as the nodes keep up"
    )
    demo.add_argument("--output", default="demo_vitals.png", help="picture of the waveforms; '' for none")
    demo.add_argument("--params-file", default="", help="YAML of parameters; default: the installed config/demo.yaml")
    demo.set_defaults(run=_run_demo)


def _run_demo(arguments: argparse.Namespace) -> int:
    try:
        from rppg_ros.nodes.demo import run_demo
    except ImportError as error:
        print(f"rppg-ros demo needs ROS 2 (rclpy) and the built messages: {error}", file=sys.stderr)
        return 2
    return run_demo(arguments.source, arguments.model, arguments.rate, arguments.output, arguments.params_file)


if __name__ == "__main__":
    sys.exit(main())
