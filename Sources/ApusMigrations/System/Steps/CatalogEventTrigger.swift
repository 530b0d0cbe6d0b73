extension SystemStep {
    /// The event trigger that announces DDL, so that nodes read the catalog again by themselves. Event triggers
    /// are a superuser's, or what a managed database makes of that.
    static func catalogEventTrigger(_ sql: String) -> SystemStep {
        SystemStep(
            // 7 was its earlier form, which did not hear of GRANT and REVOKE.
            number: 9, name: "catalog event trigger", sql: sql, lackOfPrivilege: .isNotice,
            remedy: """
                Without it, send NOTIFY pgrst, 'reload schema' after changing the schema. A superuser who starts \
                Apus once creates it.
                """)
    }
}
