import duckdb
from hypothesis import example, given
from hypothesis import strategies as st

from assets.contracts.text_as_values import number_sql

LETTERS = st.text("0123456789.-+eE_nNaAiIfFtyY ", max_size=9)


@given(texts=st.lists(LETTERS, min_size=1, max_size=20))
@example(texts=["1_2", "nan", "-nan", "inf", "Infinity", "1e400", "n", "_", "12", "4.5"])
def test_a_number_is_what_it_is_once_the_letters_that_no_number_has_are_made_unreadable(texts):
    slow = "TRY_CAST(TRANSLATE(sent, '_nN', '???') AS DOUBLE)"
    with duckdb.connect() as con:
        con.execute("CREATE TABLE lines AS SELECT unnest(?::VARCHAR[]) AS sent", [texts])
        differ = con.execute(f"SELECT sent FROM lines WHERE ({number_sql('sent')}) IS DISTINCT FROM {slow}").fetchall()
    assert differ == []
