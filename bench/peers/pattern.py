"""Which tokens a regular expression allows: the masks that a LLaMPPL program keeps by hand."""

import interegular


class TokenMasks:
    """For each state of the pattern's automaton, the tokens after which the text can still be completed to a full match.

    tokens: the bytes of each token. The pattern is over ASCII, so a byte is a character.
    """

    def __init__(self, pattern, tokens):
        self.fsm = interegular.parse_pattern(pattern).to_fsm().reduce()
        self.start = self.fsm.initial
        live = {state for state in self.fsm.states if self.fsm.islive(state)}
        self.after = {state: self._tokens_after(state, tokens, live) for state in live}

    def _tokens_after(self, start, tokens, live):
        """A dictionary from each allowed token to the state that it leads to."""
        after = {}
        for token, text in enumerate(tokens):
            state = start
            for byte in text:
                state = self._step(state, byte)
                if state not in live:
                    break
            else:
                if text:
                    after[token] = state
        return after

    def _step(self, state, byte):
        if byte > 127:
            return None
        symbol = self.fsm.alphabet[chr(byte)]
        return self.fsm.map.get(state, {}).get(symbol)

    def done(self, state):
        return state in self.fsm.finals
