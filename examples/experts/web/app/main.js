// The page: who is here, and which of its parts they see.

import { LiveSocket } from "../live/socket.js";
import { API } from "./api.js";
import { Ask } from "./ask.js";
import { Conversation } from "./conversation.js";
import { Deliveries } from "./deliveries.js";
import { $, onSubmit, tell } from "./dom.js";
import { Entrance, profileOf } from "./entrance.js";
import { Help } from "./help.js";
import { Session } from "./session.js";

const session = new Session();
const api = new API(session);
const live = new LiveSocket(session);
const parts = { session, api, live };
const entrance = new Entrance(parts);
const deliveries = new Deliveries(parts);

let desk = null;

// MARK: - Connection and problems

live.addEventListener("state", () => {
    const place = $("#connection");
    const state = live.isOpen ? "live" : live.count > 0 ? "lost" : "idle";
    place.dataset.state = state;
    place.textContent = { live: "Live", lost: "Reconnecting…", idle: "" }[state];
});

let hiding = null;
document.addEventListener("problem", ({ detail }) => {
    $("#problem").textContent = detail;
    $("#problem").hidden = !detail;
    clearTimeout(hiding);
    if (detail) hiding = setTimeout(() => { $("#problem").hidden = true; }, 8_000);
});

// MARK: - The desk of somebody who signed in

/** What a signed-in person has before them, until `close`. */
class Desk {
    #ends = [];
    views;
    conversation = null;

    constructor(user, profile, skills) {
        $("#who").textContent = profile.display_name;
        this.user = user;
        this.views = { ask: new Ask(parts, user, skills), help: new Help(parts, user, skills) };
        this.#followConversations();
        this.show(sessionStorage.getItem("experts.side") ?? "ask");
    }

    show(side) {
        this.side = side;
        sessionStorage.setItem("experts.side", side);
        $(`#side [value=${side}]`).checked = true;
        const isTalking = this.conversation !== null;
        $("#side").hidden = isTalking;
        $("#ask").hidden = isTalking || side !== "ask";
        $("#help").hidden = isTalking || side !== "help";
        $("#conversation").hidden = !isTalking;
        deliveries.follow(this.conversation?.path ?? `/questions?select=id,title,state,created_at&asker_id=eq.${this.user.id}`
            + "&order=created_at.desc&limit=5");
    }

    #followConversations() {
        const me = this.user.id;
        const path = "/conversations?select=id,asker_id,expert_id,profiles(display_name),"
            + "experts(headline,profiles(display_name)),matches(similarity,questions(title))"
            + `&or=(asker_id.eq.${me},expert_id.eq.${me})&closed_at=is.null&order=opened_at.desc&limit=1`;
        this.#ends.push(live.follow(path, ([row]) => this.#talk(row), { failed: this.#failed }));
    }

    #talk(row) {
        if (row?.id === this.conversation?.id) return;
        const before = this.conversation;
        before?.close();
        this.conversation = row ? new Conversation(parts, this.user, row) : null;
        this.show(this.side);
        if (row) $("#message-body").focus({ preventScroll: true });
        else if (before) this.#ended(before);
    }

    async #ended(conversation) {
        this.views.help.free();
        const [row] = await api.read(`/conversations?id=eq.${conversation.id}&select=stars`).catch(() => []);
        const stars = row?.stars ? ` ${"★".repeat(row.stars)}` : "";
        document.dispatchEvent(new CustomEvent("problem", { detail: `The conversation is closed.${stars}` }));
    }

    #failed = (error) => document.dispatchEvent(new CustomEvent("problem", { detail: error.message }));

    close() {
        this.#ends.forEach((end) => end());
        this.conversation?.close();
        Object.values(this.views).forEach((view) => view.close());
    }
}

// MARK: - Coming and going

async function enter(reason) {
    desk?.close();
    desk = null;
    const user = session.user;
    deliveries.follow(null);
    $("#account").hidden = !user;
    $("#entrance").hidden = Boolean(user);
    $("#deliveries").hidden = !user;
    $("#desk").hidden = true;
    if (!user) return entrance.show(reason);
    try {
        const [profile, skills] = await Promise.all([
            profileOf(api, user, entrance.name), api.read("/skills?select=slug,name&order=name"),
        ]);
        if (session.user?.id !== user.id) return;
        desk = new Desk(user, profile, skills);
        $("#desk").hidden = false;
    } catch (error) {
        document.dispatchEvent(new CustomEvent("problem", { detail: "The server cannot be reached. Trying again…" }));
        console.warn(error.message);
        setTimeout(() => { if (session.user?.id === user.id && !desk) enter(); }, 2_000);
    }
}

// The forms are there once; whose they are changes.
$("#side").addEventListener("change", ({ target }) => desk?.show(target.value));
onSubmit($("#question"), (values) => desk.views.ask.send(values));
onSubmit($("#expertise"), (values) => desk.views.help.enter(values));
onSubmit($("#message"), (values) => desk.conversation.send(values));
onSubmit($("#closing"), (values) => desk.conversation.finish(values));
$("#message-body").addEventListener("input", () => desk?.conversation?.typing());
$("#withdraw").addEventListener("click", () => desk?.views.ask.withdraw()?.catch(tell));
$("#leave").addEventListener("click", () => desk?.views.help.leave());

$("#sign-out").addEventListener("click", async () => {
    await desk?.views.help.leave(); // While there is still somebody to leave.
    await session.signOut();
});
session.addEventListener("change", ({ detail }) => enter(detail));
enter();
