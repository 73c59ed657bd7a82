"""What happens to every request before a route sees it, outermost first.

Context       request id, security headers, one log line, metrics, errors as problems
CORS          closed unless origins are allowed
Deadline      an answer in time, or 504
Doorkeeper    the key, its rate; nobody without one gets a byte of body read
Body          media type, size and time of the body, while it arrives
Idempotency   the same POST again gives the same answer and changes nothing
Gate          as many captures at once as there are cores; a short queue; then 503
"""

from api.middleware.body import Body
from api.middleware.context import Context
from api.middleware.deadline import Deadline
from api.middleware.doorkeeper import Doorkeeper
from api.middleware.gate import Gate, Lookout
from api.middleware.idempotency import Idempotency

__all__ = ["Body", "Context", "Deadline", "Doorkeeper", "Gate", "Idempotency", "Lookout"]
