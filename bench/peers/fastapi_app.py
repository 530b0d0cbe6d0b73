"""The benchmark's reads and writes as an application of FastAPI and asyncpg, the way its documentation shows."""

import contextlib
import json
import os

import asyncpg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


async def prepare(connection):
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@contextlib.asynccontextmanager
async def lifespan(app):
    size = int(os.environ["PEER_POOL"])
    async with asyncpg.create_pool(min_size=size, max_size=size, init=prepare) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


class Event(BaseModel):
    kind: str
    payload: dict


@app.get("/accounts/{id}")
async def account(id: int):
    row = await app.state.pool.fetchrow("select * from bench.accounts where id = $1", id)
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.get("/items")
async def items(category: int):
    rows = await app.state.pool.fetch(
        "select * from bench.items where category = $1 order by created_at desc limit 20", category)
    return [dict(row) for row in rows]


@app.get("/parents/{id}")
async def parent(id: int):
    row = await app.state.pool.fetchrow(
        "select p.*, (select json_agg(c) from bench.children c where c.parent_id = p.id) as children "
        "from bench.parents p where p.id = $1", id)
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.post("/events", status_code=201)
async def event(event: Event):
    await app.state.pool.execute(
        "insert into bench.events (kind, payload) values ($1, $2)", event.kind, event.payload)
