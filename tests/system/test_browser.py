from axe_playwright_python.sync_playwright import Axe

PAGE = """data:text/html,<!doctype html><html lang="en"><head><title>Alliance</title></head>
<body><main><h1>Alliance</h1>%s</main></body></html>"""


def test_the_browser_opens_a_page_and_reads_it(page):
    page.goto(PAGE % "<p>Held</p>")
    assert page.title() == "Alliance"
    assert page.get_by_text("Held").is_visible()


def test_the_browser_draws_at_the_width_it_is_given(page):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(PAGE % "")
    assert page.evaluate("innerWidth") == 390


def test_the_accessibility_checker_passes_a_plain_page(page):
    page.goto(PAGE % "<p>Held</p>")
    assert Axe().run(page).violations_count == 0


def test_the_accessibility_checker_finds_a_picture_without_words(page):
    page.goto(PAGE % "<img src='data:,'>")
    found = Axe().run(page).response["violations"]
    assert "image-alt" in {violation["id"] for violation in found}


def test_a_page_under_a_strict_content_policy_can_still_be_asked_and_checked(page):
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; script-src 'self'\">"
    page.goto((PAGE % "<p>Held</p>").replace("<title>", policy + "<title>"))
    assert page.evaluate("document.querySelectorAll('p').length") == 1
    assert Axe().run(page).violations_count == 0
