"""The process behind EmbeddedAws: ministack, extended by `embedded.front`, on one port of this machine.

Started by `embedded.server` as `python -m embedded.launcher`; it ends on SIGTERM, or when its standard
input closes, so that it does not outlive the program that wanted it.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_STOP_LIMIT = 8.0


def main() -> None:
    """Serve until told to stop."""
    arguments = _arguments()
    _prepare_environment(arguments)
    # Imported only now: ministack reads its settings from the environment when it is imported.
    from embedded.front.install import FrontDoor

    door = FrontDoor(
        url=f"http://127.0.0.1:{arguments.port}",
        access_key=arguments.access_key,
        account=arguments.account,
        region=arguments.region,
        folder=arguments.state,
        clock=arguments.clock,
    )
    asyncio.run(_serve(arguments, door.close))
    # Threads of jobs and of ministack may still wait for something; nothing of theirs is worth keeping.
    sys.stdout.flush()
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="embedded.launcher")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--detached", action="store_true", help="go on when standard input closes")
    parser.add_argument("--clock", action="store_true", help="fire schedules by the clock")
    return parser.parse_args()


def _prepare_environment(arguments: argparse.Namespace) -> None:
    from embedded.front.clients import environment

    temporary = arguments.state / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{arguments.port}"
    os.environ.update(environment(url=url, access_key=arguments.access_key, region=arguments.region))
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(arguments.port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "MINISTACK_ACCOUNT_ID": arguments.account,
            "MINISTACK_REGION": arguments.region,
            "S3_DATA_DIR": str(arguments.state / "s3"),
            "STATE_DIR": str(arguments.state / "ministack"),
            # No Docker daemon is asked for anything, also where the machine has one.
            "DOCKER_HOST": f"unix://{temporary}/no-docker.sock",
            "TMPDIR": str(temporary),
            "LOG_LEVEL": os.environ.get("BATON_EMBEDDED_LOG_LEVEL", "WARNING"),
        }
    )


async def _serve(arguments: argparse.Namespace, close: Callable[[], None]) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not arguments.detached:
        threading.Thread(target=_await_end_of_input, args=(loop, stop), daemon=True).start()
    config = Config()
    config.bind = [f"127.0.0.1:{arguments.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    serving = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    await stop.wait()
    try:
        await asyncio.wait_for(asyncio.to_thread(close), _STOP_LIMIT)
        await asyncio.wait_for(serving, 3)
    except TimeoutError:
        print("embedded AWS did not stop all it had started in time", file=sys.stderr)


def _await_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while sys.stdin.buffer.read(1024):
        continue
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
