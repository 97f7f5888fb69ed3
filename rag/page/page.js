// Handles clicks and keys in the components that are HTML. `element`, `props`, `trigger` and `watch` come from Gradio.

const box = () => document.querySelector("#question textarea");
const write = (question) => {
    box().value = question;
    box().dispatchEvent(new Event("input", { bubbles: true }));
};
const copyText = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Browsers offer no clipboard to a page loaded over plain HTTP from another machine.
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("The browser does not allow copying.");
};

element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { open, remove, sure, copy, done, close, ask } = button.dataset;
    if (open) {
        document.body.classList.remove("list-shown");
        trigger("open", JSON.parse(open));
    } else if (remove && confirm(sure)) {
        trigger("remove", { source: remove });
    } else if (copy !== undefined) {
        copyText(copy).then(() => {
            button.textContent = done;
            button.focus();
        });
    } else if (ask) {
        write(ask);
        box().focus();
    } else if (close !== undefined) {
        props.value = "";
        box().focus();
    }
});

element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") element.querySelector("[data-close]")?.click();
});

let known = element.querySelectorAll("#conversation article").length;
watch("value", () => {
    const quoted = element.querySelector(".text mark");
    const article = element.querySelector("[role=region]");
    if (article) {
        article.focus({ preventScroll: true });
        article.querySelector(".text").scrollTop = quoted ? quoted.offsetTop - 120 : 0;
    }
    // A new question is removed from the text box and scrolled to the top, where its answer can be read as it grows.
    const exchanges = element.querySelectorAll("article[aria-busy]");
    if (exchanges.length > known) {
        const exchange = exchanges[exchanges.length - 1];
        // Only if the box still holds it: the reader may have begun to type the next question.
        if (box().value.trim() === exchange.querySelector(".asked").textContent) write("");
        exchange.scrollIntoView();
    }
    known = exchanges.length;
});
