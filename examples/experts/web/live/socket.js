// Many live reads on one WebSocket: /live/v1 (docs/live.md).

import { applied, Backoff } from "./rows.js";

/** Keeps one connection while anything is followed; tells `state` when it comes and goes. */
export class LiveSocket extends EventTarget {
    #session;
    #socket = null;
    #follows = new Map();
    #backoff = new Backoff();
    #number = 0;
    #timer = null;
    #beat = null;
    /** The token that the server was told last. */
    #told = null;
    isOpen = false;

    constructor(session) {
        super();
        this.#session = session;
        session.addEventListener("token", () => this.#authenticate(session.heldToken));
        window.addEventListener("online", () => this.#connect());
    }

    get count() { return this.#follows.size; }

    /**
     * Follows a read below /rest/v1. `told(rows, message, bytes)` is called with the whole result each time it changes;
     * `failed(error)` when the server ends it. Returns a function that ends it.
     */
    follow(path, told, { key = ["id"], failed = () => {} } = {}) {
        const id = String(++this.#number);
        this.#follows.set(id, { path, told, failed, key, rows: [], last: undefined });
        if (this.isOpen) this.#ask(id);
        else this.#connect();
        return () => {
            if (!this.#follows.delete(id)) return;
            this.#send({ type: "unfollow", id });
        };
    }

    close() {
        this.#follows.clear();
        clearTimeout(this.#timer);
        this.#socket?.close(1000);
    }

    async #connect() {
        if (this.#socket || this.#follows.size === 0) return;
        clearTimeout(this.#timer);
        const address = new URL("/live/v1", location.href);
        address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(address, ["apus.live.v1"]);
        this.#socket = socket;
        socket.onopen = async () => {
            const token = await this.#session.token().catch(() => null);
            if (this.#socket !== socket || socket.readyState !== WebSocket.OPEN) return;
            this.isOpen = true;
            this.#authenticate(token);
            for (const id of this.#follows.keys()) this.#ask(id);
            this.#beat = setInterval(() => this.#send({ type: "ping" }), 20_000);
            this.dispatchEvent(new Event("state"));
        };
        socket.onmessage = ({ data }) => this.#receive(JSON.parse(data), data.length);
        socket.onclose = () => this.#lost(socket);
    }

    #lost(socket) {
        if (this.#socket !== socket) return;
        this.#socket = null;
        this.isOpen = false;
        clearInterval(this.#beat);
        this.dispatchEvent(new Event("state"));
        if (this.#follows.size > 0) this.#timer = setTimeout(() => this.#connect(), this.#backoff.delay);
    }

    #authenticate(token) {
        this.#told = token;
        if (token) this.#send({ type: "auth", token });
    }

    #ask(id) {
        const { path, last } = this.#follows.get(id);
        this.#send({ type: "follow", id, url: "/rest/v1" + path, ...(last ? { last } : {}) });
    }

    #send(message) {
        if (this.#socket?.readyState === WebSocket.OPEN && this.isOpen) this.#socket.send(JSON.stringify(message));
    }

    #receive(message, bytes) {
        const follow = this.#follows.get(message.id);
        if (message.cursor && follow) {
            follow.last = message.cursor;
            this.#backoff.reset();
        }
        switch (message.type) {
        case "snapshot":
        case "changes":
            if (!follow) return;
            follow.rows = message.type === "snapshot" ? message.data : applied(follow.rows, message.data, follow.key);
            follow.told(follow.rows, message, bytes);
            break;
        case "end":
        case "error":
            if (follow) this.#ended(message.id, follow, message.data);
            break;
        }
    }

    /** A follow that ended because of its token or the schema begins again; one that is refused does not. */
    #ended(id, follow, reason) {
        const isPassing = /^(PGRST3|APUS52[345]|APUS503)/.test(reason.code ?? "");
        if (!isPassing) {
            this.#follows.delete(id);
            return follow.failed(new Error(reason.message));
        }
        setTimeout(async () => {
            // One that the server does not take any more is exchanged, once for all follows; or the session is over.
            if (reason.code?.startsWith("PGRST3") && this.#told === this.#session.heldToken) await this.#session.refresh();
            if (this.#follows.has(id) && this.isOpen) this.#ask(id);
        }, this.#backoff.delay);
    }
}
