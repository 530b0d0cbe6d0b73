extension Catalog {
    /// Whether both show the same database: all but ``version`` is equal.
    ///
    /// A reload that found nothing new need not throw away what was derived from the catalog.
    package func hasSameContents(as other: Catalog) -> Bool {
        serverVersion == other.serverVersion && schemas == other.schemas && relations == other.relations
            && functions == other.functions && relationships == other.relationships
            && representations == other.representations && mediaHandlers == other.mediaHandlers
            && timezones == other.timezones && roleSettings == other.roleSettings
            && roleIsolation == other.roleIsolation && requestSettingsUse == other.requestSettingsUse
            && mayShapeResponses == other.mayShapeResponses
            && mayChangeSettings == other.mayChangeSettings && hasPostGIS == other.hasPostGIS
    }
}
