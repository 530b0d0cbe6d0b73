// The tables of bench/schema.sql as collections, open to everybody as they are there to `anon`.
migrate((app) => {
    const open = (name, fields, indexes = []) => app.save(new Collection({
        type: "base", name, fields, indexes, listRule: "", viewRule: "", createRule: "",
    }));
    open("accounts", [
        { name: "owner", type: "text" }, { name: "name", type: "text" }, { name: "balance", type: "number" },
        { name: "created_at", type: "date" },
    ]);
    open("items", [
        { name: "category", type: "number" }, { name: "title", type: "text" }, { name: "price", type: "number" },
        { name: "created_at", type: "date" },
    ], ["create index items_by_category on items (category, created_at desc)"]);
    open("parents", [{ name: "title", type: "text" }]);
    open("children", [
        { name: "parent", type: "relation", collectionId: app.findCollectionByNameOrId("parents").id, maxSelect: 1 },
        { name: "label", type: "text" },
    ], ["create index children_by_parent on children (parent)"]);
    open("events", [{ name: "kind", type: "text" }, { name: "payload", type: "json" }]);
});
