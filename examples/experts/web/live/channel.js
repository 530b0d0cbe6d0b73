// Who is there and who is typing: one private channel of /realtime/v1, in the protocol of Supabase Realtime, version
// 2.0.0: every message is [join_ref, ref, topic, event, payload].

import { Backoff } from "./rows.js";

const HEARTBEAT = 25_000;

/** Keeps a channel joined until it is closed; tells `presence` (the keys that are there) and `signal` (a broadcast). */
export class Channel extends EventTarget {
    #session;
    #topic;
    #key;
    #socket = null;
    #joined = false;
    #number = 0;
    #here = new Map();
    #backoff = new Backoff();
    #timers = [];
    #closed = false;

    constructor(session, topic, key) {
        super();
        this.#session = session;
        this.#topic = `realtime:${topic}`;
        this.#key = key;
        this.#renew = () => this.#push("access_token", { access_token: session.heldToken });
        session.addEventListener("token", this.#renew);
        this.#connect();
    }

    #renew;

    /** Tells the others something that nobody keeps. */
    signal(event, payload = {}) {
        if (this.#joined) this.#push("broadcast", { type: "broadcast", event, payload });
    }

    close() {
        this.#closed = true;
        this.#session.removeEventListener("token", this.#renew);
        this.#timers.forEach(clearTimeout);
        this.#socket?.close(1000);
    }

    async #connect() {
        const token = await this.#session.token().catch(() => null);
        if (this.#closed || !token) return;
        const address = new URL("/realtime/v1/websocket", location.href);
        address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
        address.search = new URLSearchParams({ apikey: token, vsn: "2.0.0" });
        const socket = new WebSocket(address);
        this.#socket = socket;
        socket.onopen = () => this.#push("phx_join", {
            access_token: token,
            config: { private: true, broadcast: { self: false, ack: false }, presence: { enabled: true, key: this.#key } },
        }, "1");
        socket.onmessage = ({ data }) => {
            if (typeof data === "string") this.#receive(JSON.parse(data));
        };
        socket.onclose = () => this.#lost();
    }

    #lost() {
        this.#joined = false;
        this.#timers.forEach(clearTimeout);
        this.#timers = [];
        this.#here.clear();
        this.#tell();
        if (!this.#closed) this.#timers.push(setTimeout(() => this.#connect(), this.#backoff.delay));
    }

    #push(event, payload, ref = String(++this.#number + 1), topic = this.#topic) {
        if (this.#socket?.readyState !== WebSocket.OPEN) return;
        this.#socket.send(JSON.stringify([topic === this.#topic ? "1" : null, ref, topic, event, payload]));
    }

    #receive([, ref, topic, event, payload]) {
        if (topic !== this.#topic) return;
        switch (event) {
        case "phx_reply":
            if (ref === "1") this.#answered(payload);
            break;
        case "phx_error":
        case "phx_close":
            this.#socket?.close(1000);
            break;
        case "presence_state":
            this.#here = new Map(Object.entries(payload).map(([key, { metas }]) => [key, metas.length]));
            this.#tell();
            break;
        case "presence_diff":
            this.#count(payload.leaves, -1);
            this.#count(payload.joins, 1);
            this.#tell();
            break;
        case "broadcast":
            this.dispatchEvent(new CustomEvent("signal", { detail: payload }));
            break;
        }
    }

    #answered({ status }) {
        if (status !== "ok") return this.#socket?.close(1000);
        this.#joined = true;
        this.#backoff.reset();
        this.#push("presence", { type: "presence", event: "track", payload: {} });
        this.#timers.push(setInterval(() => this.#push("heartbeat", {}, undefined, "phoenix"), HEARTBEAT));
    }

    #count(changed, by) {
        for (const [key, { metas }] of Object.entries(changed ?? {})) {
            this.#here.set(key, (this.#here.get(key) ?? 0) + by * metas.length);
        }
    }

    #tell() {
        const keys = [...this.#here].filter(([, count]) => count > 0).map(([key]) => key);
        this.dispatchEvent(new CustomEvent("presence", { detail: keys }));
    }
}
