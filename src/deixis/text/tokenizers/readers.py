"""Ids to text one by one: what each made certain, and nothing that a later id could still change.

One class for each way in which tokens become text. Put together, what a reader returns is what its codec's
``decode`` makes of the same ids, letter by letter; no reader looks twice at what it has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokenizers import Tokenizer

from deixis.text.tokenizers.checked_input import check_id
from deixis.text.tokenizers.llama_tokenizer import LOW_BAR, SentencePieces
from deixis.text.tokenizers.spellers import BYTE, UNREADABLE, ByteLetters, ByteTokens
from deixis.text.tokenizers.word_pieces.detokenise import Joiner
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL

ORDINARY = "x"  # stands before a piece that isn't the first


class WordReader:
    """Word pieces as English is written; an apostrophe waits for the piece behind it.

    added: tokens behind the pieces, which are written as they are, set off by spaces.
    """

    def __init__(self, pieces: Sequence[str], added: Sequence[str] = ()) -> None:
        self.pieces, self.added = pieces, added
        self.joiner = Joiner(brackets=True)
        self.begun = False

    def add(self, token: int) -> str:
        """Return the text that became certain by this token."""
        number = check_id(token, len(self.pieces) + len(self.added))
        if number < len(self.pieces):
            text = self.joiner.add(self.pieces[number]) if number >= len(SPECIAL) else ""
        else:
            text = self.joiner.close() + " " * self.begun + self.added[number - len(self.pieces)]
        self.begun = self.begun or bool(text)
        return text

    def close(self) -> str:
        """Return the rest."""
        return self.joiner.close()


class PieceReader:
    """Sentencepieces with added tokens; the bytes of a character wait for each other."""

    def __init__(self, pieces: SentencePieces) -> None:
        self.pieces = pieces
        self.bytes = bytearray()
        # Whether any part was begun, whether the last one is a run of plain pieces, and whether a space that
        # begins the next piece is dropped, as at the beginning of such a run.
        self.begun = self.running = self.opening = False

    def add(self, token: int) -> str:
        """Return the text that became certain by this token."""
        piece = self.pieces.token(int(token))
        if piece in self.pieces.special:
            return ""
        if piece in self.pieces.own_words:
            text = self.finished_bytes() + " " * self.begun + piece
            self.begun, self.running = True, False
            return text
        if self.running:
            return self.run(piece)
        gap = " " * self.begun
        self.begun = self.running = self.opening = True
        return gap + self.run(piece.removeprefix(LOW_BAR))

    def run(self, piece: str) -> str:
        """Return what one more piece of a run makes certain."""
        value = byte_of(self.pieces, piece)
        if value is not None:
            self.opening = False
            self.bytes.append(value)
            return self.whole_characters()
        if self.opening:
            text, self.opening = opening_text(self.pieces, piece)
            return text
        return self.finished_bytes() + later_text(self.pieces, piece)

    def whole_characters(self) -> str:
        """Return the characters whose bytes are all there; a byte that begins none is unreadable."""
        text = ""
        while self.bytes:
            length = bytes_of_character(self.bytes[0])
            others = self.bytes[1:length]
            if len(self.bytes) < length and all(0x80 <= other < 0xC0 for other in others):
                break
            text += self.first_character(length)
        return text

    def first_character(self, length: int) -> str:
        """Return the first character that waits, of as many bytes; if they aren't one, of one byte."""
        try:
            text = self.bytes[:length].decode()
        except UnicodeDecodeError:
            text, length = UNREADABLE, 1
        del self.bytes[:length]
        return text

    def finished_bytes(self) -> str:
        """Return what waited for bytes that didn't come."""
        text = ""
        while self.bytes:
            text += self.first_character(bytes_of_character(self.bytes[0]))
        return text

    def close(self) -> str:
        """Return the rest."""
        return self.finished_bytes()


def bytes_of_character(first: int) -> int:
    """Return how many bytes a character has that begins with this one; 1 where none does.

    >>> [bytes_of_character(byte) for byte in (0x41, 0x80, 0xC3, 0xE2, 0xF0)]
    [1, 1, 2, 3, 4]
    """
    if 0xC0 <= first < 0xE0:
        return 2
    if 0xE0 <= first < 0xF0:
        return 3
    return 4 if 0xF0 <= first < 0xF8 else 1


def byte_of(pieces: SentencePieces, piece: str) -> int | None:
    """Return the byte that a piece stands for, if it stands for one."""
    found = BYTE.fullmatch(piece)
    if found is None or not pieces.processor.is_byte(pieces.processor.piece_to_id(piece)):
        return None
    return int(found[1], 16)


def later_text(pieces: SentencePieces, piece: str) -> str:
    """Return what a piece writes behind others."""
    if piece not in pieces.later:
        pieces.later[piece] = pieces.join([ORDINARY, piece])[len(ORDINARY) :]
    return pieces.later[piece]


def opening_text(pieces: SentencePieces, piece: str) -> tuple[str, bool]:
    """Return what a piece writes at the beginning, and whether the next one still stands there."""
    text = pieces.join([piece])
    spaced = next((one for one in pieces.pieces if one.startswith(LOW_BAR)), None)
    if text or spaced is None:
        return text, False
    return "", pieces.join([piece, spaced]) != later_text(pieces, spaced)


class TokenReader:
    """Tokens of a ``tokenizer.json``. skipped: the texts of those that ``decode`` leaves out."""

    def __init__(
        self, tokenizer: Tokenizer, speller: ByteLetters | ByteTokens, *, size: int, skipped: frozenset[str]
    ) -> None:
        self.tokenizer, self.speller = tokenizer, speller
        self.size, self.skipped = size, skipped

    def add(self, token: int) -> str:
        """Return the text that became certain by this token."""
        text = self.tokenizer.id_to_token(check_id(token, self.size))
        return "" if text is None or text in self.skipped else self.speller.spell(text)

    def close(self) -> str:
        """Return the rest."""
        return self.speller.finish()


class WholeReader:
    """Ids that become text in a way that isn't known here: all of it comes at the end."""

    def __init__(self, decode: Callable[[list[int]], str], *, size: int) -> None:
        self.decode, self.size = decode, size
        self.ids: list[int] = []

    def add(self, token: int) -> str:
        """Return nothing yet."""
        self.ids.append(check_id(token, self.size))
        return ""

    def close(self) -> str:
        """Return the text."""
        return self.decode(self.ids)
