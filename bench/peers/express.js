// The benchmark's reads and writes as an application of Express and pg, one process for each worker.
"use strict";
const cluster = require("node:cluster");

if (cluster.isPrimary) {
    for (let n = 0; n < Number(process.env.PEER_WORKERS); n++) cluster.fork();
    cluster.on("exit", () => process.exit(1));
    process.on("SIGTERM", () => process.exit(0));
} else {
    const express = require("express");
    const { Pool } = require("pg");
    const pool = new Pool({ max: Number(process.env.PEER_POOL) });
    const app = express();
    app.disable("x-powered-by");
    app.use(express.json());

    // Statements with a name are prepared once for a connection.
    const one = (name, text) => async (request, response, next) => {
        try {
            const { rows } = await pool.query({ name, text, values: [request.params.id] });
            if (rows.length === 0) return response.sendStatus(404);
            response.json(rows[0]);
        } catch (error) {
            next(error);
        }
    };
    app.get("/accounts/:id", one("account", "select * from bench.accounts where id = $1"));
    app.get("/parents/:id", one("parent", "select p.*, (select json_agg(c) from bench.children c "
        + "where c.parent_id = p.id) as children from bench.parents p where p.id = $1"));
    app.get("/items", async (request, response, next) => {
        try {
            const { rows } = await pool.query({
                name: "items",
                text: "select * from bench.items where category = $1 order by created_at desc limit 20",
                values: [request.query.category],
            });
            response.json(rows);
        } catch (error) {
            next(error);
        }
    });
    app.post("/events", async (request, response, next) => {
        try {
            const { kind, payload } = request.body;
            await pool.query({
                name: "event", text: "insert into bench.events (kind, payload) values ($1, $2)", values: [kind, payload],
            });
            response.status(201).end();
        } catch (error) {
            next(error);
        }
    });
    app.listen(Number(process.env.PEER_PORT), "127.0.0.1");
}
