"""The window of a session against a model of it: requests, answers in any order, late ones, overdue ones, the end.

SMPP v3.4 2.9 (requests outstanding), 2.7 (timers); smpp-answers "A response nobody waits for".
What must not enter: octets that are no answers (test_any_octets.py).
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.smpp.codec import encode_pdu
from gateway.smpp.errors import WindowFull
from gateway.smpp.events import LateResponse, ResponseOverdue, ResponseReceived
from gateway.smpp.pdus import DeliverSmResp, SubmitSm, SubmitSmResp
from gateway.smpp.session import SessionLimits
from tests.gateway.smpp.pdu_strategies import bound_pair

WINDOW, TIMEOUT_S, MOST_OVERDUE = 4, 10.0, 6
LIMITS = SessionLimits(
    window=WINDOW,
    response_timeout_s=TIMEOUT_S,
    max_overdue=MOST_OVERDUE,
    enquire_link_interval_s=1e9,
    inactivity_s=1e9,
    max_unexpected_responses_per_minute=10**9,
)


class Window(RuleBasedStateMachine):
    """Which requests wait, and since when, as they should be."""

    def __init__(self) -> None:
        super().__init__()
        _, self.session = bound_pair(esme_limits=LIMITS)
        self.now = 0.0
        self.waiting: dict[int, tuple[str, float]] = {}  # by sequence_number: context, since when
        self.overdue: dict[int, str] = {}
        self.used: set[int] = set()

    def _tell(
        self, sequence_number: int, answer: type[SubmitSmResp] | type[DeliverSmResp] = SubmitSmResp
    ) -> list[object]:
        return list(self.session.receive_data(encode_pdu(answer(sequence_number=sequence_number))))

    @rule()
    def request(self) -> None:
        """A request takes a place, and a number that nobody waits for; without a place it is refused."""
        context = f"request {len(self.used)}"
        if len(self.waiting) == WINDOW:
            with pytest.raises(WindowFull):
                self.session.request(SubmitSm(), context)
            return
        number = self.session.request(SubmitSm(), context)
        assert number not in self.waiting
        assert number not in self.overdue
        self.used.add(number)
        self.waiting[number] = (context, self.now)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """An answer in any order frees the place of its own request."""
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        (event,) = self._tell(number)
        assert isinstance(event, ResponseReceived)
        assert event.context == self.waiting.pop(number)[0]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer_of_another_kind(self, data: st.DataObject) -> None:
        """Another type with a waited number completes nothing."""
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        assert not any(isinstance(e, ResponseReceived) for e in self._tell(number, DeliverSmResp))

    @precondition(lambda self: self.overdue)
    @rule(data=st.data())
    def answer_late(self, data: st.DataObject) -> None:
        """A late answer is told as such, once."""
        number = data.draw(st.sampled_from(sorted(self.overdue)))
        (event,) = self._tell(number)
        assert isinstance(event, LateResponse)
        assert event.context == self.overdue.pop(number)

    @rule(number=st.integers(1, 2**31 - 1))
    def answer_to_nothing(self, number: int) -> None:
        """An answer that nobody waits for completes nothing."""
        if number not in self.waiting and number not in self.overdue:
            assert not any(isinstance(e, ResponseReceived | LateResponse) for e in self._tell(number))

    @rule(seconds=st.floats(0.1, TIMEOUT_S * 1.5))
    def time_passes(self, seconds: float) -> None:
        """What waited longer than the timeout is reported, oldest first, and leaves the window."""
        self.now += seconds
        events = self.session.tick(self.now)
        late = [number for number, (_, since) in self.waiting.items() if self.now >= since + TIMEOUT_S]
        assert [e.context for e in events if isinstance(e, ResponseOverdue)] == [self.waiting[n][0] for n in late]
        for number in late:
            self.overdue[number] = self.waiting.pop(number)[0]
        while len(self.overdue) > MOST_OVERDUE:
            del self.overdue[next(iter(self.overdue))]

    @rule()
    def end(self) -> None:
        """The connection ends: what waited is told, oldest first; a new one begins."""
        assert self.session.abandon() == [context for context, _ in self.waiting.values()]
        self.__init__()  # type: ignore[misc]  # a new connection, a new session

    @invariant()
    def the_window_is_the_models(self) -> None:
        assert not self.session.close_wanted
        assert self.session.unanswered == len(self.waiting)
        assert self.session.window_free == WINDOW - len(self.waiting)
        assert self.session.overdue == len(self.overdue)


TestWindow = Window.TestCase
TestWindow.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
