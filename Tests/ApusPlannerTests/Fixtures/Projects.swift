import ApusCatalog

extension CatalogBuilder {
    /// Clients have projects, projects have tasks, users and tasks are many to many, and a few odd ones.
    static var projects: CatalogBuilder {
        CatalogBuilder()
            .table("clients", "id", "name text")
            .table("projects", "id", "name text", "client_id", "data jsonb", "facts json", "tags text[]")
            .table("tasks", "id", "name text", "project_id")
            .table("users", "id", "name text")
            .table("users_tasks", "user_id", "task_id", key: ["user_id", "task_id"])
            .table("family", "id", "parent", "name text")
            .table("articles", "id", "body text", "found tsvector")
            .table("projects_view", "id", "name text", key: [], kind: .view)
            .foreignKey("client", from: "projects", to: "clients", on: [("client_id", "id")])
            .foreignKey("project", from: "tasks", to: "projects", on: [("project_id", "id")])
            .foreignKey(
                "project", from: "tasks", to: "projects_view", on: [("project_id", "id")],
                targetIsView: true
            )
            .foreignKey("parent_fk", from: "family", to: "family", on: [("parent", "id")])
            .junction("users_tasks", "users", "user_fk", "user_id", "tasks", "task_fk", "task_id")
            .junction("users_tasks", "tasks", "task_fk", "task_id", "users", "user_fk", "user_id")
            .computed("first_task", from: "projects", to: "tasks", one: true)
            .computed("late_tasks", from: "projects", to: "tasks", one: false)
    }

    /// A table with a domain that is shown as a hexadecimal color.
    static var colors: CatalogBuilder {
        CatalogBuilder()
            .table("paints", "id", "name text")
            .domainColumn("paints", "tone", domain: "color", base: "integer", default: "0")
            .representation(from: "color", to: "json", by: "color_to_json")
            .representation(from: "text", to: "color", by: "color_from_text")
            .representation(from: "json", to: "color", by: "color_from_json")
    }
}
