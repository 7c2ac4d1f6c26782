"""The one vocabulary of named states: what the figures of a model show, in a name of the field and one sentence.

figures     the few figures that decide, from a snapshot or from the metrics
table       the states: name, rule, sentence, meaning, cure, and from which others each must be told apart
diagnose    the first state of the table whose rule holds: the live page, the arms, and the report ask here
"""

from vae_core.metrics.states.figures import Figures, Seen
from vae_core.metrics.states.rule import Diagnosis, decoder_trained, diagnose, name_state
from vae_core.metrics.states.table import EXPLAINED, STATES, State

__all__ = ["EXPLAINED", "STATES", "Diagnosis", "Figures", "Seen", "State", "decoder_trained", "diagnose", "name_state"]
