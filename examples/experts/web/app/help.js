// Helping: having time, and taking questions or not.

import { fill } from "./ask.js";
import { $, h, tell } from "./dom.js";

/** Who has not been heard of for 45 seconds gets no questions. */
const HEARTBEAT = 15_000;
const KEY = "experts.subject";

export class Help {
    #parts;
    #user;
    #timer = null;
    #ends = [];

    constructor(parts, user, skills) {
        this.#parts = parts;
        this.#user = user;
        fill($("#expertise-skill"), skills);
        const leaving = () => this.#away(true);
        window.addEventListener("pagehide", leaving);
        this.#ends.push(() => window.removeEventListener("pagehide", leaving));
        const path = "/matches?select=id,similarity,questions(title,body,profiles(display_name))"
            + `&expert_id=eq.${user.id}&state=eq.proposed&order=created_at,id`;
        this.#ends.push(parts.live.follow(path, (rows) => this.#propose(rows)));
        const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
        if (kept?.user === user.id) this.#enter(kept).catch(tell);
        else this.#show(null);
    }

    /** Somebody's time came back: whoever waits is next. */
    free() { if (this.#timer) this.#beat(); }

    /** From the form. */
    enter({ skill, headline }) {
        const name = $(`#expertise-skill [value="${skill}"]`).text;
        return this.#enter({ user: this.#user.id, skill, headline, name });
    }

    async #enter(subject) {
        await this.#parts.api.call("become_expert", { skill: subject.skill, headline: subject.headline });
        sessionStorage.setItem(KEY, JSON.stringify(subject));
        this.#show(subject);
        clearInterval(this.#timer);
        this.#timer = setInterval(() => this.#beat(), HEARTBEAT);
        this.#beat();
    }

    #beat() { this.#parts.api.call("here").catch(() => {}); }

    async leave() {
        sessionStorage.removeItem(KEY);
        this.#show(null);
        await this.#away();
    }

    async #away(isLast = false) {
        if (!this.#timer) return;
        clearInterval(this.#timer);
        this.#timer = null;
        const headers = { "Content-Type": "application/json" };
        await this.#parts.api.fetch(`/availability?expert_id=eq.${this.#user.id}`, {
            method: "PATCH", headers, body: JSON.stringify({ status: "away" }), keepalive: isLast,
        }).catch(() => {});
    }

    #show(subject) {
        $("#expertise").hidden = subject !== null;
        $("#available").hidden = subject === null;
        $("#help-title").textContent = subject ? "You have time." : "What do you know about?";
        $("#available-state").textContent = subject ? `Questions about ${subject.name} come to you here.` : "";
    }

    #propose(rows) {
        const shown = new Map([...$("#proposals").children].map((card) => [card.dataset.match, card]));
        for (const [id, card] of shown) if (!rows.some((row) => row.id === id)) card.remove();
        for (const row of rows) if (!shown.has(row.id)) $("#proposals").append(this.#card(row));
    }

    #card({ id, similarity, questions: question }) {
        const answer = (name) => async ({ target }) => {
            target.disabled = true;
            await this.#parts.api.call(name, { match_id: id }).catch(tell);
            target.disabled = false;
            if (name === "decline_match") this.free();
        };
        return h("article", { class: "proposal", "data-match": id },
            h("p", { class: "quiet" }, `${question.profiles.display_name} asks · ${Math.round(similarity * 100)} % match`),
            h("h3", {}, question.title),
            question.body ? h("p", {}, question.body) : null,
            h("div", { class: "row" },
                h("button", { type: "button", "data-action": "accept", onclick: answer("accept_match") }, "Accept"),
                h("button", { type: "button", class: "second", "data-action": "decline", onclick: answer("decline_match") },
                    "Not now")));
    }

    close() {
        this.#away();
        this.#ends.forEach((end) => end());
        this.#propose([]);
        this.#show(null);
    }
}
