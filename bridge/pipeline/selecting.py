"""complete → selected: which rule, which side."""

from bridge.pipeline.context import PipelineContext
from bridge.pipeline.outcome import Advance, Outcome, Skip
from bridge.select import Chosen, choose, facts_of
from bridge.select.facts import HEADER_TAGS
from bridge.state.job_states import JobState
from bridge.state.jobs import JobRecord


def select(context: PipelineContext, job: JobRecord) -> Outcome:
    """The first rule that takes the series; why none does otherwise."""
    facts = facts_of(context.instances(job, HEADER_TAGS))
    found = choose(context.config.rules, facts)
    if isinstance(found, Chosen):
        notes = {} if found.side is None else {"side": found.side}
        return Advance(JobState.SELECTED, rule=found.rule.name, notes=notes)
    return Skip("no-rule", found.text)
