// Asking: the form, and waiting until somebody has time.

import { $, h } from "./dom.js";

/** Seconds between two looks for somebody who is free. */
const SEEK = 10_000;

export function fill(select, skills) {
    select.replaceChildren(...skills.map(({ slug, name }) => h("option", { value: slug }, name)));
}

export class Ask {
    #parts;
    #question = null;
    #timer = null;
    #ends = [];

    constructor(parts, user, skills) {
        this.#parts = parts;
        fill($("#question-skill"), skills);
        const path = "/questions?select=id,title,matches(id,state,experts(headline,profiles(display_name)))"
            + `&asker_id=eq.${user.id}&state=eq.open&order=created_at.desc&limit=1`;
        this.#ends.push(parts.live.follow(path, ([row]) => this.#show(row ?? null)));
        this.#timer = setInterval(() => this.#seek(), SEEK);
    }

    async send({ skill, title, body }) {
        await this.#parts.api.call("request_expert", { skill, title, body });
        $("#question").reset();
    }

    withdraw() {
        if (!this.#question) return;
        return this.#parts.api.write("PATCH", `/questions?id=eq.${this.#question.id}`, { state: "withdrawn" });
    }

    #show(question) {
        this.#question = question;
        $("#question").hidden = question !== null;
        $("#waiting").hidden = question === null;
        $("#ask-title").textContent = question ? "Looking for somebody…" : "What do you want to know?";
        if (!question) return;
        $("#waiting-title").textContent = question.title;
        const proposed = question.matches.find(({ state }) => state === "proposed");
        const declined = question.matches.filter(({ state }) => state !== "proposed").length;
        $("#waiting-state").textContent = proposed
            ? `${proposed.experts.profiles.display_name} (${proposed.experts.headline}) is asked now.`
            : declined > 0 ? `${declined} could not. Waiting for the next one.` : "Nobody is free yet. You are the next.";
    }

    /** A proposal that nobody answers goes to somebody else. */
    #seek() {
        if (!this.#question) return;
        this.#parts.api.call("seek_expert", { question_id: this.#question.id }).catch(() => {});
    }

    close() {
        clearInterval(this.#timer);
        this.#ends.forEach((end) => end());
        this.#show(null);
    }
}
