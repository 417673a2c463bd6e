"""A connection over HTTP gone through: files, way, TLS, token, question.

That is the order in which they need each other: a step whose forerunner failed is not tried.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from adapters.lookup import LookupAdapter
from adapters.ports import Ports
from adapters.registry import base_urls, build
from config.settings import Wire
from proxy.credentials.snapshot import Credentials
from proxy.doctor.advice import Introduction, Trust, of_address, of_connection, of_handshake
from proxy.doctor.asking import (
    NOBODY,
    NOBODYS_ID,
    PATIENCE_S,
    NobodysId,
    Watched,
    ask_about_nobody,
    milliseconds,
    too_slow,
)
from proxy.doctor.certificates import facts_of, renewal_advice, subject_of
from proxy.doctor.findings import Report, State, Step
from proxy.doctor.patient import Patient
from proxy.doctor.reaching import Endpoint, addresses_of, connects, endpoint_of, shakes_hands
from proxy.doctor.reading import read_files
from proxy.doctor.tokens import Held, ask_token
from proxy.exchange.transport import Transport, open_session
from proxy.exchange.wire import Address
from proxy.exchange.wire import Wire as VendorWire

FILES_FIRST = "the files come first"
WAY_FIRST = "the way there comes first"
PROOF_FIRST = "the token comes first"
"""Why a step was not tried."""


class VendorExamination:
    """A connection over HTTP."""

    def __init__(self, patient: Patient, report: Report) -> None:
        setting = patient.setting
        apis = {str(name): url for name, url in setting.apis.items()}
        self._patient = patient
        self._setting = setting
        self._report = report
        self._tmf = setting.tmf.model_dump(exclude_none=True)
        self._apis = base_urls(setting.vendor, setting.base_url, apis, self._tmf)
        self._server_name = setting.tls.server_name if setting.tls else None

    async def examine(self) -> None:
        now = self._patient.clock()
        steps, credentials = await asyncio.to_thread(read_files, self._setting, now)
        self._report.steps += steps
        for endpoint in self._endpoints():
            await self._reach(endpoint, credentials)
        if credentials is None:
            self._skip(FILES_FIRST)
        elif self._report.is_good:
            await self._converse(credentials)
        else:
            self._skip(WAY_FIRST)

    def _endpoints(self) -> list[Endpoint]:
        """Each server once; the expected name is the APIs', and an issuer's own elsewhere."""
        ways = [endpoint_of(url, self._server_name) for url in self._apis.values()]
        if self._setting.oauth2 is not None:
            issuer = endpoint_of(self._setting.oauth2.token_url)
            same = [way for way in ways if way.host == issuer.host]
            name = self._server_name if same else None
            ways.append(endpoint_of(self._setting.oauth2.token_url, name))
        return list(dict.fromkeys(ways))

    async def _reach(self, endpoint: Endpoint, credentials: Credentials | None) -> None:
        steps = self._report.steps
        proxy = self._setting.wire.egress_proxy
        steps.append(await _tcp_step(endpoint_of(proxy) if proxy else endpoint, self._setting.wire))
        tls = f"tls {endpoint}"
        if proxy or not endpoint.is_https:
            because = "it goes through the egress proxy" if proxy else "it is plain HTTP"
            steps.append(Step.skipped(tls, because))
        elif credentials is None or steps[-1].state is State.BAD:
            steps.append(Step.skipped(tls, WAY_FIRST if credentials else FILES_FIRST))
        else:
            steps.append(await self._tls_step(tls, endpoint, credentials))

    async def _tls_step(self, name: str, endpoint: Endpoint, credentials: Credentials) -> Step:
        shown = await shakes_hands(endpoint, credentials.tls)
        now = self._patient.clock()
        bad = of_handshake(shown, self._introduction(endpoint, credentials, now))
        return Step.judged(
            name,
            ", ".join(filter(None, (shown.version, shown.cipher))),
            facts=facts_of(shown.chain, now) if shown.chain else (),
            bad=(bad,) if bad else (),
            doubtful=renewal_advice(shown.chain, "the server's certificate", now),
        )

    def _introduction(
        self, endpoint: Endpoint, credentials: Credentials, now: datetime
    ) -> Introduction:
        tls, certificates = self._setting.tls, credentials.certificates
        trusted = tuple(subject_of(one) for one in certificates.trusted)
        return Introduction(
            endpoint=endpoint,
            trust=Trust(tls.trust_bundle_file if tls else None, trusted),
            client=certificates.client[0] if certificates.client else None,
            certificate_file=tls.certificate_file if tls else None,
            now=now,
        )

    async def _converse(self, credentials: Credentials) -> None:
        patience = {"connect_timeout": PATIENCE_S, "exchange_timeout": PATIENCE_S}
        wire = self._setting.wire.model_copy(update=patience)
        session = open_session(credentials.tls, wire)
        try:
            transport = Transport(session, timeout_s=PATIENCE_S)
            token = await self._token(credentials, transport)
            if self._report.is_good:
                await self._ask(transport, token)
            else:
                self._report.steps.append(Step.skipped("question", PROOF_FIRST))
        finally:
            await session.close()

    async def _token(self, credentials: Credentials, transport: Transport) -> Held | None:
        oauth2 = self._setting.oauth2
        if oauth2 is None:
            return None
        hosts = {endpoint_of(url).host for url in self._apis.values()}
        is_same = endpoint_of(oauth2.token_url).host in hosts
        step, token = await ask_token(
            oauth2,
            credentials,
            transport,
            server_name=self._server_name if is_same else None,
            now=self._patient.clock(),
        )
        self._report.steps.append(step)
        return token

    async def _ask(self, transport: Transport, token: Held | None) -> None:
        setting = self._setting
        with ThreadPoolExecutor(1) as parsing:
            address = Address(
                apis=self._apis, headers=setting.headers, server_name=self._server_name
            )
            wire = VendorWire(
                transport,
                address,
                body_bytes=setting.wire.response_body,
                parsing=parsing,
                authorization=token,
            )
            watched = Watched(wire)
            step = await ask_about_nobody(
                self._adapter(watched),
                watched,
                self._patient.call(),
                allowed_s=setting.wire.exchange_timeout,
                has_token=token is not None,
            )
        self._report.steps.append(step)

    def _adapter(self, exchange: Watched) -> LookupAdapter:
        same = self._setting.identity.kind == "identity"
        ports = Ports(
            tenant=self._patient.tenant,
            connection=self._patient.name,
            identity=NobodysId(str(NOBODY) if same else NOBODYS_ID),
            exchange=exchange,
            tmf=self._tmf,
        )
        return build(self._setting.vendor, ports)

    def _skip(self, because: str) -> None:
        names = ["token"] if self._setting.oauth2 else []
        self._report.steps += [Step.skipped(name, because) for name in (*names, "question")]


async def _tcp_step(endpoint: Endpoint, wire: Wire) -> Step:
    name = f"tcp {endpoint}"
    try:
        addresses = await addresses_of(endpoint)
    except OSError as error:
        return Step.judged(name, bad=(of_address(endpoint, error),))
    shown = ", ".join(addresses)
    try:
        took_s = await connects(endpoint)
    except OSError as error:
        return Step.judged(name, shown, bad=(of_connection(endpoint, error),))
    slow = too_slow("a connection", took_s, "wire.connect_timeout", wire.connect_timeout)
    return Step.judged(name, f"{shown}, after {milliseconds(took_s)}", doubtful=slow)
