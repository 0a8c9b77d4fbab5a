"""The live page of lessons side by side, answered by its server in a thread."""

import threading
from contextlib import contextmanager

from tinycnn.page.live import LivePage
from tinycnn.page.server import PageServer
from tinycnn.page.sides import Side


@contextmanager
def served(*lessons, command="tinycnn step --model mini"):
    with PageServer(LivePage([Side(lesson, command) for lesson in lessons])) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
