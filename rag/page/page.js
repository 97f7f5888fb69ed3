// What the parts that are drawn as HTML do when one of their buttons is pressed. `element`, `props`, `trigger`
// and `watch` are Gradio's.

const box = () => document.querySelector("#question textarea");
const write = (question) => {
    box().value = question;
    box().dispatchEvent(new Event("input", { bubbles: true }));
};
const copyText = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Over plain HTTP from another machine there is none.
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("The browser does not let anything be copied.");
};

element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { open, remove, sure, copy, done, close, ask } = button.dataset;
    if (open) {
        document.body.classList.remove("shelf");
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

let taken = element.querySelectorAll("#conversation article").length;
watch("value", () => {
    const quoted = element.querySelector(".text mark");
    const article = element.querySelector("[role=region]");
    if (article) {
        article.focus({ preventScroll: true });
        article.querySelector(".text").scrollTop = quoted ? quoted.offsetTop - 120 : 0;
    }
    // A question that is taken up leaves the box and moves to the top, where its answer can be read while it grows.
    const exchanges = element.querySelectorAll("article[aria-busy]");
    if (exchanges.length > taken) {
        const exchange = exchanges[exchanges.length - 1];
        // The next one may be there already.
        if (box().value.trim() === exchange.querySelector(".asked").textContent) write("");
        exchange.scrollIntoView();
    }
    taken = exchanges.length;
});
