"""What is examined: a connection, and a tenant that it answers for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.call import Call
from config.settings import Connection
from proxy.doctor.asking import PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    name: str
    setting: Connection
    tenant: str
    clock: Callable[[], datetime]

    def call(self) -> Call:
        now = asyncio.get_running_loop().time()
        return Call(deadline=now + PATIENCE_S, asked_at=self.clock(), correlation_id="doctor")
