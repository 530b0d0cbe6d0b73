// Talking: messages as they are written, who is there, who is typing.

import { Channel } from "../live/channel.js";
import { $, clock, h, tell } from "./dom.js";

/** Milliseconds that "is typing" is shown, and half of which pass before it is told again. */
const TYPING = 4_000;

export class Conversation {
    #parts;
    #me;
    #ends = [];
    #channel;
    #shown = new Map();
    #typingTold = 0;
    #typingTimer = null;

    constructor(parts, user, row) {
        this.#parts = parts;
        this.#me = user.id;
        this.id = row.id;
        this.path = `/messages?conversation_id=eq.${row.id}&select=id,sender_id,body,sent_at&order=id.desc&limit=100`;
        const isAsker = row.asker_id === user.id;
        this.partner = isAsker ? row.experts.profiles.display_name : row.profiles.display_name;
        $("#partner").textContent = this.partner;
        $("#subject").textContent = row.matches.questions.title
            + (isAsker ? ` · ${row.experts.headline}, ${Math.round(row.matches.similarity * 100)} % match` : "");
        $("#closing").hidden = !isAsker;
        $("#closing").reset();
        $("#messages").replaceChildren();
        this.#ends.push(parts.live.follow(this.path, (rows) => this.#show(rows), { failed: (error) => tell(error) }));
        this.#join(isAsker ? row.expert_id : row.asker_id);
    }

    async send({ body }) {
        await this.#parts.api.write("POST", "/messages", { conversation_id: this.id, body });
        $("#message").reset();
        this.#typingTold = 0;
        // The field was disabled meanwhile, which took the focus from it.
        setTimeout(() => $("#message-body").focus({ preventScroll: true }));
    }

    typing() {
        if (Date.now() - this.#typingTold < TYPING / 2) return;
        this.#typingTold = Date.now();
        this.#channel.signal("typing");
    }

    finish({ stars }) {
        const given = stars ? { stars: Number(stars) } : {};
        return this.#parts.api.call("close_conversation", { conversation_id: this.id, ...given });
    }

    #join(partnerID) {
        this.#channel = new Channel(this.#parts.session, `conversation:${this.id}`, this.#me);
        this.#channel.addEventListener("presence", ({ detail }) => {
            const isHere = detail.includes(partnerID);
            $("#presence").dataset.here = isHere;
            $("#presence").textContent = isHere ? "here" : "away";
        });
        this.#channel.addEventListener("signal", ({ detail }) => {
            if (detail.event === "typing") this.#typing(`${this.partner} is typing…`);
        });
        this.#ends.push(() => this.#channel.close());
    }

    #typing(text) {
        clearTimeout(this.#typingTimer);
        $("#typing").textContent = text;
        if (text) this.#typingTimer = setTimeout(() => this.#typing(""), TYPING);
    }

    /** Messages never change: what is new is added, so that a screen reader reads it and nothing else. */
    #show(rows) {
        const list = $("#messages");
        const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
        const ids = new Set(rows.map(({ id }) => id));
        for (const [id, element] of this.#shown) {
            if (ids.has(id)) continue;
            element.remove();
            this.#shown.delete(id);
        }
        let after = null;
        for (const row of rows) {
            let element = this.#shown.get(row.id);
            if (!element) {
                element = this.#bubble(row);
                this.#shown.set(row.id, element);
                list.insertBefore(element, after);
                if (row.sender_id !== this.#me) this.#typing("");
            }
            after = element;
        }
        if (isAtEnd) list.scrollTop = list.scrollHeight;
    }

    #bubble({ id, sender_id, body, sent_at }) {
        const isMine = sender_id === this.#me;
        return h("li", { class: isMine ? "mine" : "theirs", "data-id": String(id) },
            h("span", { class: "hidden" }, isMine ? "You: " : `${this.partner}: `),
            h("span", { class: "body" }, body),
            h("time", { datetime: sent_at }, clock(sent_at)));
    }

    close() {
        this.#typing("");
        $("#presence").textContent = "";
        this.#ends.forEach((end) => end());
    }
}
