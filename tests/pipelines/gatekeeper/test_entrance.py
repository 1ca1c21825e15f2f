import pytest

from pipelines.gatekeeper import answers
from tests.pipelines.gatekeeper.served import browser_of, demo_gate, form_token_in, session_of


def sign_in(client, viewer, *, then="/"):
    page = client.get("/sign-in")
    return client.post("/sign-in", data={"token": form_token_in(page), "viewer": viewer, "then": then})


def test_the_account_lists_what_somebody_may_see_and_what_is_there(gate):
    text = browser_of(gate, "supervisor").get("/account").text
    assert [
        f'href="/{path}"' in text
        for path in ("clinicians/C-1.html", "clinicians/C-3.html", "clinicians/C-2.html", "methods.html")
    ] == [True, True, False, True]
    assert 'href="/"' not in text


def test_signing_out_ends_this_session_and_no_other(gate):
    here, there = browser_of(gate, "director"), browser_of(gate, "director")
    token = form_token_in(here.get("/account"))
    left = here.post("/sign-out", data={"token": token})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert here.get("/index.html").status_code == 303
    assert there.get("/index.html").status_code == 200


def test_signing_out_everywhere_ends_every_session(gate):
    here, there, other = browser_of(gate, "director"), browser_of(gate, "director"), browser_of(gate, "analyst")
    stolen = here.cookies[gate.cookies.session]
    here.post("/sign-out-everywhere", data={"token": form_token_in(here.get("/account"))})
    assert there.get("/index.html").status_code == 303
    assert other.get("/methods.html").status_code == 200
    replayed = browser_of(gate)
    replayed.cookies.set(gate.cookies.session, stolen)
    assert replayed.get("/index.html").status_code == 303


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({}, {}),
        ({}, {"token": "0" * 64}),
        ({"origin": "https://elsewhere.example"}, None),
        ({"origin": "null"}, None),
        ({"sec-fetch-site": "cross-site"}, None),
        ({"sec-fetch-site": "same-site"}, None),
        ({"content-type": "text/plain"}, None),
    ],
)
def test_another_sites_form_neither_signs_out_nor_in(gate, headers, data):
    client = browser_of(gate, "director")
    given = {"token": form_token_in(client.get("/account"))} if data is None else data
    assert client.post("/sign-out", data=given, headers=headers).status_code == 404
    assert client.get("/index.html").status_code == 200
    stranger = browser_of(gate)
    token = form_token_in(stranger.get("/sign-in"))
    given = {"viewer": "director", **({"token": token} if data is None else data)}
    assert stranger.post("/sign-in", data=given, headers=headers).status_code == 403
    assert stranger.get("/index.html").status_code == 303


def test_a_forms_token_is_worth_nothing_in_another_browser(gate):
    first, second = browser_of(gate), browser_of(gate)
    token = form_token_in(first.get("/sign-in"))
    second.get("/sign-in")
    assert second.post("/sign-in", data={"token": token, "viewer": "director"}).status_code == 403
    assert first.post("/sign-in", data={"token": token, "viewer": "director"}).status_code == 303


@pytest.mark.parametrize(
    ("then", "where"),
    [("/methods.html", "/methods.html"), ("https://elsewhere.example/", "/"), ("//elsewhere.example", "/"), ("/\\elsewhere.example", "/"),
     ("/nowhere", "/"), ("/slices/six-months.json", "/"), ("", "/"), ("/%2f/elsewhere.example", "/"), ("/sign-out", "/")],
)  # fmt: skip
def test_after_signing_in_one_goes_on_within_the_site_alone(gate, then, where):
    assert sign_in(browser_of(gate), "director", then=then).headers["location"] == where


def test_signing_in_gives_a_new_session_and_ends_the_one_before(gate):
    before = session_of(gate, "director")
    client = browser_of(gate)
    page = client.get("/sign-in")
    cookies = f"{gate.cookies.session}={before}; {gate.cookies.form}={page.cookies[gate.cookies.form]}"
    client.cookies.clear()
    given = {"token": form_token_in(page), "viewer": "analyst"}
    signed_in = client.post("/sign-in", data=given, headers={"cookie": cookies})
    assert signed_in.cookies[gate.cookies.session] != before
    assert gate.sessions.find(before, now=gate.clock()) is None


@pytest.mark.parametrize("token", ["a" * 43, "", "director", "' OR 1=1 --", "a" * 5000])
def test_a_token_that_was_chosen_elsewhere_opens_nothing_and_is_not_taken_over(gate, token):
    client = browser_of(gate)
    client.cookies.set(gate.cookies.session, token, domain="127.0.0.1")
    assert client.get("/index.html").status_code == 303
    signed_in = sign_in(client, "director")
    assert signed_in.cookies[gate.cookies.session] != token


def test_cookies_are_kept_from_scripts_other_sites_and_plain_http(home):
    safe = demo_gate(home, server={"public_url": "https://rapport.clinic.example", "behind": ("10.0.0.5",)})
    answer = sign_in(browser_of(safe), "director")
    (session,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-rapport=")]
    parts = {part.strip().lower() for part in session.split(";")[1:]}
    assert {"httponly", "secure", "path=/", "samesite=lax", "max-age=28800"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    form = browser_of(safe).get("/sign-in").headers["set-cookie"].lower()
    assert "samesite=strict" in form
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    safe.close()


def test_a_form_larger_than_any_of_ours_is_refused_with_the_same_headers(gate):
    client = browser_of(gate)
    answer = client.post("/sign-in", data={"viewer": "x" * 9000})
    assert answer.status_code == 413
    assert answer.headers["content-security-policy"] == answers.POLICY


def test_a_demonstration_keeps_to_whom_it_lists(gate):
    client = browser_of(gate)
    assert sign_in(client, "owner").status_code == 403
    assert sign_in(client, "director").status_code == 303
