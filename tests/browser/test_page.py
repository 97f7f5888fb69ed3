"""The page as its reader uses it, in Chromium."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import BROWSED, HOSTILE, QUESTION, QUIET, Served, ask, drop, open_page, wait_for_answers

pytestmark = [BROWSED, QUIET]

SERIOUS = ("serious", "critical")


def test_a_citation_opens_its_article_at_the_quote_and_leads_to_the_next(page: Page) -> None:
    ask(page)
    wait_for_answers(page)
    expect(page.locator(".state.verified")).to_be_visible()
    ask(page)
    wait_for_answers(page, 2)
    page.locator(".marker").first.click()
    quoted = page.locator("#reader mark")
    expect(quoted).to_have_text("The harbour cost nine million.")
    expect(quoted).to_be_in_viewport()
    expect(page.locator("#reader .facts")).to_contain_text("English")
    expect(page.locator("#reader nav")).to_contain_text("Citation 1 of 2")
    expect(page.get_by_label("Previous citation")).to_be_disabled()
    expect(page.locator("#reader article")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#reader article")).to_have_count(0)


def test_one_click_shows_the_passages_that_were_read(page: Page) -> None:
    ask(page)
    wait_for_answers(page)
    expect(page.locator("details ol")).to_be_hidden()
    page.get_by_text("How this answer was found").click()
    expect(page.locator("details ol")).to_contain_text("harbour.md")


def test_evidence_is_shown_while_the_answer_is_written(page: Page, served: Served) -> None:
    served.generator.held = True
    ask(page)
    expect(page.locator("article[aria-busy=true] .passages")).to_contain_text("harbour.md")
    served.generator.held = False
    wait_for_answers(page)
    expect(page.locator(".passages")).to_have_count(0)


def test_stop_ends_the_answer_at_once_and_frees_the_model(page: Page, served: Served) -> None:
    served.generator.held = True
    ask(page)
    expect(page.locator(".doing")).to_contain_text("Reading harbour.md")
    page.click("#stop")
    expect(page.locator(".notice")).to_have_text("Stopped.")
    while served.generator.running:
        page.wait_for_timeout(100)
    expect(page.locator(".notice")).to_have_text("Stopped.")


def test_a_second_question_of_a_tab_is_queued_behind_the_first(page: Page, served: Served) -> None:
    served.generator.held = True
    ask(page)
    ask(page)
    expect(page.locator("#conversation")).to_contain_text("questions ahead of yours: 1")
    served.generator.held = False
    wait_for_answers(page, 2)
    expect(page.locator(".state.verified")).to_have_count(2)


def test_a_reloaded_tab_keeps_its_conversation_and_another_tab_has_its_own(page: Page, served: Served) -> None:
    ask(page)
    wait_for_answers(page)
    other = page.context.new_page()
    open_page(other, served)
    expect(other.locator("#conversation article")).to_have_count(0)
    page.reload()
    expect(page.locator("#conversation article")).to_have_count(1)
    expect(page.locator(".asked")).to_have_text(QUESTION)


def test_markup_is_shown_as_text_everywhere(page: Page) -> None:
    ask(page, f"{HOSTILE} markup is text?")
    wait_for_answers(page)
    expect(page.locator(".asked")).to_contain_text("<script>")
    page.locator("#article-list .title", has_text="Hostile").click()
    expect(page.locator("#reader .text")).to_contain_text("${x} {{x}} `x`")
    assert page.locator("#columns script, #columns img").count() == 0
    assert page.title() == "Ask the articles"


def test_an_empty_question_is_explained_in_a_sentence(page: Page) -> None:
    ask(page, "   ")
    expect(page.locator(".notice")).to_contain_text("The question is empty")


def test_the_filters_apply_to_the_next_question(page: Page) -> None:
    page.get_by_text("Filter the articles").click()
    page.get_by_label("Not before").fill("2030")
    ask(page)
    expect(page.locator(".notice")).to_contain_text("No article matches the filter")


def test_removed_articles_are_deselected_and_the_others_stay_selected(page: Page) -> None:
    drop(page, "satama.txt", "Satama avattiin toukokuussa Helsingissä. Veneet saavat tulla yöllä satamaan.\n")
    expect(page.locator("#article-list")).to_contain_text("Finnish 1")
    page.get_by_text("Filter the articles").click()
    _choose(page, "Languages", "Finnish", "English")
    _choose(page, "Files", "added/satama.txt", "harbour.md")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Remove added/satama.txt").click()
    expect(page.locator("#article-list .count")).to_have_text("3 of 3")
    chosen = page.locator("#filters .token")
    expect(chosen).to_have_text(["English", "harbour.md"])
    ask(page)
    wait_for_answers(page)
    expect(page.locator(".state.verified")).to_be_visible()
    page.locator("#language input").click()
    page.get_by_role("option", name="Polski").click()
    expect(chosen).to_have_text(["angielski", "harbour.md"])


def _choose(page: Page, label: str, *options: str) -> None:
    """Select options of a filter."""
    for option in options:
        page.get_by_label(label, exact=True).click()
        page.get_by_role("option", name=option).click()
    page.keyboard.press("Escape")


def test_articles_are_found_by_their_titles(page: Page) -> None:
    page.get_by_label("Search the titles").fill("harb")
    expect(page.locator("#article-list .count")).to_have_text("1 of 3")
    expect(page.locator("#article-list .title")).to_contain_text("The harbour")


def test_an_article_is_added_asked_about_and_removed(page: Page, served: Served, tmp_path: Path) -> None:
    text = "date 2026-01\nΤο λιμάνι\n\nΤο λιμάνι του Πειραιά έκλεισε τον Ιανουάριο λόγω της απεργίας των εργατών.\n"
    (tmp_path / "λιμάνι.txt").write_text(text, encoding="utf-8")
    (tmp_path / "archive.txt").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    page.set_input_files("#files input[type=file]", [tmp_path / "λιμάνι.txt", tmp_path / "archive.txt"])
    expect(page.locator("#change")).to_contain_text("The new index is in use. Articles: 4.")
    expect(page.locator("#change")).to_contain_text("archive.txt It is binary")
    assert [file.name for file in (served.corpus / "added").iterdir()] == ["λιμάνι.txt"]
    ask(page, "Το λιμάνι του Πειραιά έκλεισε τον Ιανουάριο;")
    expect(page.locator("#conversation")).to_contain_text("added/λιμάνι.txt")
    wait_for_answers(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Remove added/λιμάνι.txt").click()
    expect(page.locator("#article-list .count")).to_have_text("3 of 3")
    assert list((served.corpus / "added").iterdir()) == []


def test_a_new_reader_asks_checks_a_citation_adds_an_article_and_asks_about_it(page: Page, served: Served) -> None:
    page.locator("#examples [data-ask]").first.click()
    expect(page.locator("#question textarea")).to_be_focused()
    expect(page.locator("#question textarea")).to_have_value(re.compile("^What is written on the topic of “.+”"))
    ask(page)
    wait_for_answers(page)
    page.locator(".marker").click()
    expect(page.locator("#reader mark")).to_have_text("The harbour cost nine million.")
    page.keyboard.press("Escape")
    cost = "Satama maksoi seitsemän miljoonaa."
    drop(page, "satama.txt", f"Satama avattiin toukokuussa Helsingissä. {cost} Veneet saavat tulla yöllä.\n")
    expect(page.locator("#change")).to_contain_text("The new index is in use. Articles: 4.")
    expect(page.locator("#article-list")).to_contain_text("Finnish 1")
    expect(page.locator("#header")).to_contain_text("Finnish")
    served.generator.say(cost)
    ask(page, "Paljonko satama maksoi, seitsemän miljoonaa?")
    wait_for_answers(page, 2)
    page.locator(".marker").last.click()
    expect(page.locator("#reader mark")).to_have_text(cost)
    expect(page.locator("#reader .facts")).to_contain_text("Finnish")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Remove added/satama.txt").click()
    expect(page.locator("#article-list .count")).to_have_text("3 of 3")


def test_examples_follow_the_articles_and_the_language_of_the_page(page: Page) -> None:
    offered = page.locator("#examples [data-ask]")
    assert offered.first.get_attribute("lang") == "en"
    before = offered.all_text_contents()
    drop(page, "kirjasto.txt", "Oulun kirjaston avasi Aino Virtanen. Yleisö kiitti, kun Aino Virtanen luki runoja.\n")
    expect(page.locator("#change")).to_contain_text("The new index is in use")
    expect(page.locator("#examples")).to_contain_text("Aino Virtanen")
    assert offered.all_text_contents() != before
    page.locator("#language input").click()
    page.get_by_role("option", name="Polski").click()
    expect(offered.first).to_have_attribute("lang", "pl")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#article-list [data-remove]").click()
    expect(page.locator("#article-list .count")).to_have_text("3 z 3")


def test_the_language_can_be_changed_during_a_conversation(page: Page, served: Served) -> None:
    ask(page)
    wait_for_answers(page)
    served.generator.held = True
    ask(page)
    page.locator("#language input").click()
    page.get_by_role("option", name="Polski").click()
    expect(page.locator(".doing")).to_contain_text("harbour.md")
    served.generator.held = False
    wait_for_answers(page, 2)
    expect(page.locator(".state.verified")).to_have_text(["Sprawdzone ze źródłem"] * 2)


def test_the_keyboard_alone_leads_from_the_question_to_the_quote_and_back(page: Page) -> None:
    page.locator("#question textarea").focus()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    wait_for_answers(page)
    page.locator("#find textarea, #find input").first.focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('marker')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#reader mark")).to_be_in_viewport()
    expect(page.locator("#reader article")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#question textarea")).to_be_focused()


@pytest.mark.parametrize("locale", ["en-GB", "el-GR", "sr-RS"])
def test_the_stop_button_fits_on_a_phone(browser: Browser, served: Served, locale: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale=locale)
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector("#article-list .title", state="attached")
    served.generator.held = True
    ask(page)
    for name in ("#question", "#ask", "#stop"):
        box = page.locator(name).bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    served.generator.held = False
    wait_for_answers(page)
    context.close()


def test_the_page_follows_the_language_of_the_browser_and_the_one_chosen(browser: Browser, served: Served) -> None:
    context = browser.new_context(locale="cs-CZ")
    page = context.new_page()
    open_page(page, served)
    expect(page.locator("#ask")).to_have_text("Zeptat se")
    assert page.evaluate("document.documentElement.lang") == "cs"
    page.locator("#language input").click()
    page.get_by_role("option", name="Srpski (latinica)").click()
    expect(page.locator("#ask")).to_have_text("Pitaj")
    page.reload()
    expect(page.locator("#ask")).to_have_text("Pitaj")
    context.close()


def test_the_conversation_is_saved_with_its_sources(page: Page) -> None:
    ask(page)
    wait_for_answers(page)
    for name, expected in (
        ("Markdown", "harbour\\.md, en, 2024\\-05"),
        ("JSON", '"quote": "The harbour cost nine million."'),
    ):
        with page.expect_download() as saving:
            page.get_by_role("button", name=f"Save as {name}").click()
        assert expected in saving.value.path().read_text(encoding="utf-8")


def test_an_answer_is_copied_with_its_sources(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page)
    wait_for_answers(page)
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("[1] harbour.md, en, 2024-05: “The harbour cost nine million.”")


def test_an_answer_is_copied_where_the_browser_offers_no_clipboard(page: Page, served: Served) -> None:
    # As over plain HTTP from another machine.
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    open_page(page, served)
    ask(page)
    wait_for_answers(page)
    page.get_by_role("button", name="Copy with sources").click()
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    page.locator("#question textarea").press("Control+V")
    expect(page.locator("#question textarea")).to_have_value(re.compile("1. harbour.md, en, 2024-05: “The harbour"))


def test_a_question_is_shown_in_the_direction_of_its_script(page: Page) -> None:
    box = page.locator("#question textarea")
    for question, direction in (("כמה עלה הנמל?", "rtl"), (QUESTION, "ltr")):
        box.fill(question)
        expect(box).to_have_css("direction", direction)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, served: Served, scheme: str) -> None:
    context = browser.new_context(locale="en-GB", color_scheme=scheme)
    page = context.new_page()
    open_page(page, served)
    ask(page)
    wait_for_answers(page)
    page.locator(".marker").click()
    page.wait_for_selector("#reader mark")
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    page.get_by_role("tab", name="Figures").click()
    page.wait_for_selector("#figures table")
    found += [one for one in Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    context.close()


def test_a_question_asked_before_the_page_is_ready_belongs_to_its_conversation(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(locale="cs-CZ")
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector("#question textarea")
    ask(page)
    wait_for_answers(page)
    expect(page.locator(".state")).to_have_text("Ověřeno podle zdroje")
    page.locator(".marker").click()
    expect(page.locator("#reader nav")).to_contain_text("Citace 1 z 1")
    context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_list_opens_on_demand(
    browser: Browser, served: Served
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector("#question textarea")
    ask(page)
    wait_for_answers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#corpus")).to_be_hidden()
    page.get_by_role("button", name="Articles", exact=True).click()
    page.locator("#article-list .title").first.click()
    expect(page.locator("#corpus")).to_be_hidden()
    expect(page.locator("#reader article")).to_be_in_viewport()
    page.get_by_label("Close").last.click()
    expect(page.locator("#reader article")).to_have_count(0)
    context.close()
