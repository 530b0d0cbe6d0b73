// Signing in.

import { $, onSubmit } from "./dom.js";

/** The caller's profile; made when there is none. */
export async function profileOf(api, user, name) {
    const path = `/profiles?id=eq.${user.id}&select=id,display_name`;
    const [known] = await api.read(path);
    if (known) return known;
    const handle = `u${user.id.replaceAll("-", "").slice(0, 20)}`;
    const shown = name || user.email?.split("@")[0] || `Guest ${handle.slice(1, 5)}`;
    // Another tab of the same person may have been quicker.
    const [made] = await api.write("POST", "/profiles?select=id,display_name", { handle, display_name: shown },
        "return=representation").catch(() => api.read(path));
    return made;
}

export class Entrance {
    #email = "";
    /** What the newcomer wants to be called. */
    name = "";

    constructor({ session }) {
        onSubmit($("#guest"), async ({ name }) => {
            this.name = name.trim();
            await session.enterAsGuest();
        });
        onSubmit($("#credentials"), async ({ email, password }, submitter) => {
            this.name = $("#guest-name").value.trim();
            if (submitter?.value === "up") {
                if (await session.signUp(email, password)) return;
                this.#email = email;
                $("#confirmation").hidden = false;
                $("#code").focus();
            } else {
                await session.signIn(email, password);
            }
        });
        onSubmit($("#confirmation"), ({ code }) => session.confirm(this.#email, code.trim()));
    }

    /** @param reason why somebody who was signed in is here again */
    show(reason) {
        for (const form of document.querySelectorAll("#entrance form")) form.reset();
        $("#confirmation").hidden = true;
        $("#guest [role=alert]").textContent = reason ?? "";
    }
}
