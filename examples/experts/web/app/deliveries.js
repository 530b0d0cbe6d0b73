// One read, five deliveries, side by side: what each of them costs, and how quick it is.

import { DELIVERIES } from "../live/deliveries.js";
import { $, h } from "./dom.js";

const FIELDS = [
    ["requests", "requests"], ["notModified", "of them 304"], ["bytes", "bytes of answers"],
    ["lag", "last change shown after"],
];

const newest = (rows) => rows.reduce((latest, row) => {
    const time = row.sent_at ?? row.created_at;
    return time > latest ? time : latest;
}, "");

/** The counters of one delivery. */
class Meter {
    #outputs = {};
    #counts = { requests: 0, notModified: 0, bytes: 0 };
    #newest = null;
    #content = null;

    constructor({ name, title, about }) {
        const rows = FIELDS.map(([field, label]) => {
            this.#outputs[field] = h("dd", { "data-field": field }, "–");
            return h("div", {}, h("dt", {}, label), this.#outputs[field]);
        });
        this.#outputs.latest = h("p", { class: "latest", "data-field": "latest" });
        this.#outputs.problem = h("p", { class: "trouble", "data-field": "problem" });
        this.element = h("li", { "data-delivery": name },
            h("h3", {}, title), h("p", { class: "quiet" }, about), h("dl", {}, rows),
            this.#outputs.latest, this.#outputs.problem);
    }

    told({ rows, problem, ...counts }) {
        for (const [name, value] of Object.entries(counts)) this.#counts[name] += value;
        for (const name of Object.keys(this.#counts)) this.#outputs[name].textContent = this.#counts[name].toLocaleString("en");
        this.#outputs.problem.textContent = problem ?? "";
        if (rows) this.#take(rows);
    }

    #take(rows) {
        const content = JSON.stringify(rows);
        if (content === this.#content) return;
        const isFirst = this.#content === null;
        this.#content = content;
        const time = newest(rows);
        this.#outputs.latest.textContent = rows[0] ? rows[0].body ?? rows[0].title : "no rows";
        if (!isFirst && time > this.#newest) {
            // By two clocks, the server's and this machine's.
            const lag = Math.max(0, Date.now() - Date.parse(time));
            this.#outputs.lag.textContent = lag < 10_000 ? `${lag} ms` : `${Math.round(lag / 1000)} s`;
            this.element.classList.remove("changed");
            requestAnimationFrame(() => this.element.classList.add("changed"));
        }
        this.#newest = time;
    }
}

export class Deliveries {
    #parts;
    #path = null;
    #running = null;
    #isOn = false;

    constructor(parts) {
        this.#parts = parts;
        $("#watch").addEventListener("click", () => {
            this.#isOn = !this.#isOn;
            $("#watch").setAttribute("aria-pressed", this.#isOn);
            $("#watch").textContent = this.#isOn ? "Stop" : "Watch";
            this.#begin();
        });
    }

    /** From now on this read; null for none. */
    follow(path) {
        if (path === this.#path) return;
        this.#path = path;
        $("#deliveries-path").textContent = path ? `/rest/v1${path}` : "";
        this.#begin();
    }

    #begin() {
        this.#running?.abort();
        this.#running = null;
        if (!this.#isOn || !this.#path) return;
        this.#running = new AbortController();
        const { signal } = this.#running;
        const meters = DELIVERIES.map((delivery) => {
            const meter = new Meter(delivery);
            const told = (news) => { if (!signal.aborted) meter.told(news); };
            delivery.start({ ...this.#parts, path: this.#path, told, signal });
            return meter;
        });
        $("#delivery-list").replaceChildren(...meters.map(({ element }) => element));
    }
}
