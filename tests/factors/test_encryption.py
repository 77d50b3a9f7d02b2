"""V5: TOTP secrets are encrypted at rest under their own key, which can be rotated."""

from base64 import urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet, InvalidToken

from authsvc.factors.encryption import SecretBox
from tests.support.factor_secrets import NEXT_SECRET, WRONG_SECRET
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET

TEXT = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_what_is_encrypted_can_be_decrypted_and_does_not_show_the_text() -> None:
    box = SecretBox(FACTOR_SECRET)
    stored = box.encrypt(TEXT)
    assert TEXT not in stored
    assert box.decrypt(stored) == TEXT


def test_the_same_text_is_never_encrypted_to_the_same() -> None:
    box = SecretBox(FACTOR_SECRET)
    assert box.encrypt(TEXT) != box.encrypt(TEXT)


def test_the_previous_secret_decrypts_and_does_not_encrypt() -> None:
    old, rotating = SecretBox(FACTOR_SECRET), SecretBox(NEXT_SECRET, FACTOR_SECRET)
    assert rotating.decrypt(old.encrypt(TEXT)) == TEXT
    assert old.decrypt(rotating.encrypt(TEXT)) is None
    assert SecretBox(NEXT_SECRET).decrypt(rotating.encrypt(TEXT)) == TEXT


def test_what_is_encrypted_again_needs_the_current_secret_alone() -> None:
    stored = SecretBox(FACTOR_SECRET).encrypt(TEXT)
    again = SecretBox(NEXT_SECRET, FACTOR_SECRET).encrypt_again(stored)
    assert again is not None
    assert SecretBox(NEXT_SECRET).decrypt(again) == TEXT
    assert SecretBox(FACTOR_SECRET).decrypt(again) is None


@pytest.mark.parametrize("secrets", [(), (WRONG_SECRET,), (WRONG_SECRET, ACCESS_SECRET)])
def test_without_the_right_secret_nothing_is_decrypted(secrets: tuple[bytes, ...]) -> None:
    stored = SecretBox(FACTOR_SECRET).encrypt(TEXT)
    box = SecretBox(*secrets)
    assert box.decrypt(stored) is None
    assert box.encrypt_again(stored) is None


@pytest.mark.parametrize("stored", ["", "a", TEXT, "gAAAAA", "ü", "gAAAAA" + "A" * 100])
def test_what_was_never_encrypted_is_not_decrypted(stored: str) -> None:
    assert SecretBox(FACTOR_SECRET).decrypt(stored) is None


def test_a_changed_ciphertext_is_not_decrypted() -> None:
    box = SecretBox(FACTOR_SECRET)
    stored = box.encrypt(TEXT)
    for place in range(0, len(stored) - 2, 7):
        letter = "A" if stored[place] != "A" else "B"
        assert box.decrypt(stored[:place] + letter + stored[place + 1 :]) is None


def test_without_a_secret_nothing_is_encrypted() -> None:
    with pytest.raises(RuntimeError, match="AUTHSVC_FACTOR_SECRET is not set"):
        SecretBox().encrypt(TEXT)


@pytest.mark.parametrize("part", [FACTOR_SECRET[:32], FACTOR_SECRET[32:]])
def test_no_part_of_the_secret_is_the_key_itself(part: bytes) -> None:
    """The key is derived, so a key for another purpose can be made of the same secret."""
    stored = SecretBox(FACTOR_SECRET).encrypt(TEXT)
    with pytest.raises(InvalidToken):
        Fernet(urlsafe_b64encode(part)).decrypt(stored)


def test_a_box_shows_no_secret() -> None:
    """M3."""
    shown = repr(SecretBox(FACTOR_SECRET)) + repr(vars(SecretBox(FACTOR_SECRET)))
    assert FACTOR_SECRET.hex() not in shown
    assert repr(FACTOR_SECRET) not in shown
