// Elements without a template language. Text is always text, never markup.

/** An element: `h("p", { class: "quiet", hidden: true, onclick: f }, "text", child)`. */
export function h(name, properties = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
        if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
        else if (typeof value === "boolean") element.toggleAttribute(key, value);
        else if (value !== undefined && value !== null) element.setAttribute(key, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
}

export const $ = (selector, root = document) => root.querySelector(selector);

/** Disables a form while it is sent, and shows what went wrong beside it. */
export function onSubmit(form, send) {
    const problem = $("[role=alert]", form);
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const values = Object.fromEntries(new FormData(form)); // What is disabled is not in it.
        const controls = [...form.elements].filter((control) => !control.disabled);
        for (const control of controls) control.disabled = true;
        if (problem) problem.textContent = "";
        try {
            await send(values, event.submitter);
        } catch (error) {
            tell(error, problem);
        } finally {
            for (const control of controls) control.disabled = false;
        }
    });
}

/** Shows an error where the reader looks, in words that help. */
export function tell(error, place) {
    const text = error instanceof TypeError
        ? "The server cannot be reached. What is live comes back by itself; please try again."
        : error.message;
    if (place) place.textContent = text;
    else document.dispatchEvent(new CustomEvent("problem", { detail: text }));
}

export const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
