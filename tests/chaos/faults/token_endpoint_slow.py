"""The identity provider takes its time, longer than a question about one customer may take. The
pretend vendor forgets the tokens that it gave, and issues the next one after 0.8 s. Who can't wait
is told `auth`; batches wait and are answered, and one request serves all.
"""

from adapters.simulator.faults import Latency
from tests.chaos.issuer import OfTheIssuer


class TokenEndpointSlow(OfTheIssuer):
    vendor_faults = (Latency(where="token", delay_s=0.8),)
