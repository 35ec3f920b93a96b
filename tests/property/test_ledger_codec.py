"""Every field of a transfer comes back, and every bit is where independent arithmetic expects it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.errors import LedgerError
from duckback.ledger.codec import decode_user_data, transfer_of
from duckback.model.events import Event, EventKind, Scope, database_account_id, event_id, repository_account_id

STATUS = {"started": 1, "completed": 2, "failed": 3, "recovery": 4, "verification": 5, "pruned": 6}
SCOPE = {"full": 1, "incremental": 2}
SCOPES: list[Scope] = ["full", "incremental"]


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(EventKind))
    moves = kind in {EventKind.COMPLETED, EventKind.PRUNED}
    of_run = kind in {EventKind.RECOVERY, EventKind.VERIFICATION}
    return Event(
        kind=kind,
        backup_id=draw(st.uuids()),
        run_id=draw(st.uuids()) if of_run else None,
        repository_id=draw(st.uuids()),
        database=draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
        scope=draw(st.sampled_from(SCOPES)),
        amount=draw(st.integers(0, 2**128 - 1)) if moves else 0,
        started_at=draw(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
        retention_days=draw(st.integers(0, 65535)),
        manifest_sha256=draw(st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)),
    )


@given(events())
def test_what_is_packed_comes_back(event: Event) -> None:
    transfer = transfer_of(event)
    data = decode_user_data(transfer.user_data_128, transfer.user_data_32)
    assert (data.backup_type, data.compression, data.encryption) == (2, 0, 1)
    assert (data.scope, data.kind, data.retention_days) == (event.scope, event.kind, event.retention_days)
    assert data.manifest_prefix == (event.manifest_sha256 or "0" * 64)[:26]


@given(events())
def test_every_bit_is_where_the_design_puts_it(event: Event) -> None:
    transfer = transfer_of(event)
    digest = "".join(f"{byte:08b}" for byte in bytes.fromhex(event.manifest_sha256 or "00" * 32))
    expected = "00000010"
    expected += f"{SCOPE[event.scope]:08b}"
    expected += "00000000" + "00000001"
    expected += f"{STATUS[event.kind.value]:08b}"
    expected += f"{event.retention_days:016b}"
    expected += digest[:72]
    assert f"{transfer.user_data_128:0128b}" == expected
    assert f"{transfer.user_data_32:032b}" == digest[72:104]


@given(events(), st.integers(1, 2**32 - 1))
def test_the_other_fields_are_ids_amount_and_whole_seconds(event: Event, ledger: int) -> None:
    transfer = transfer_of(event, ledger)
    assert transfer.id == event_id(event.kind, event.backup_id, event.run_id).int
    assert transfer.amount == event.amount
    assert transfer.user_data_64 == int(event.started_at.replace(microsecond=0).timestamp())
    assert (transfer.ledger, transfer.code) == (ledger, 12)


@given(events())
def test_bytes_go_from_database_to_repository_and_back_when_pruned(event: Event) -> None:
    transfer = transfer_of(event)
    accounts = [
        database_account_id(event.repository_id, event.database).int,
        repository_account_id(event.repository_id).int,
    ]
    if event.kind == "pruned":
        accounts.reverse()
    assert [transfer.debit_account_id, transfer.credit_account_id] == accounts
    assert transfer.debit_account_id != transfer.credit_account_id


COMPLETED = Event(
    kind=EventKind.COMPLETED,
    backup_id=UUID("0190b5a0-0000-7000-8000-000000000001"),
    repository_id=UUID("11111111-2222-4333-8444-555555555555"),
    database="hot",
    scope="incremental",
    amount=5,
    started_at=datetime(2026, 11, 23, 4, 5, 6, 999_999, tzinfo=UTC),
    retention_days=90,
    manifest_sha256="00112233445566778899aabbccddeeff" * 2,
)


def test_one_transfer_written_out() -> None:
    transfer = transfer_of(COMPLETED)
    assert f"{transfer.user_data_128:032x}" == "0202000102005a001122334455667788"
    assert f"{transfer.user_data_32:08x}" == "99aabbcc"
    assert transfer.user_data_64 == 1795406706
    assert (transfer.ledger, transfer.code, transfer.amount) == (1, 12, 5)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (replace(COMPLETED, retention_days=65536), "retention days 65536"),
        (replace(COMPLETED, retention_days=-1), "retention days -1"),
        (replace(COMPLETED, amount=2**128), "amount"),
        (replace(COMPLETED, started_at=datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC)), "start -1"),
    ],
)
def test_what_does_not_fit_its_bits_is_refused(event: Event, field: str) -> None:
    with pytest.raises(LedgerError, match=f"{field}.* does not fit"):
        transfer_of(event)


@pytest.mark.parametrize("ledger", [-1, 0, 2**32])
def test_a_ledger_number_is_32_bits_and_not_0(ledger: int) -> None:
    with pytest.raises(LedgerError, match="ledger"):
        transfer_of(COMPLETED, ledger)


@pytest.mark.parametrize(
    ("shift", "name"), [(120, "backup type"), (112, "scope"), (104, "compression"), (96, "encryption"), (88, "status")]
)
def test_a_code_of_another_version_is_not_guessed(shift: int, name: str) -> None:
    packed = transfer_of(COMPLETED).user_data_128
    with pytest.raises(LedgerError, match=f"unknown {name} 255"):
        decode_user_data(packed | 0xFF << shift, 0)


@pytest.mark.parametrize(("wide", "narrow"), [(2**128, 0), (-1, 0), (0, 2**32), (0, -1)])
def test_user_data_that_is_too_wide_is_refused(wide: int, narrow: int) -> None:
    with pytest.raises(LedgerError, match="does not fit"):
        decode_user_data(wide, narrow)
