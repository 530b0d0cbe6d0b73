import ApusCatalog

extension Planner {
    /// `handling=strict` (RFC 7240 §4.4): a preference that nobody knows is an error.
    func checkPreferences(_ preferences: Preferences) throws(PlanFault) {
        guard preferences.handling == .strict, !preferences.unknown.isEmpty else { return }
        throw .invalidPreferences(preferences.unknown)
    }

    /// What one value affected cannot be counted.
    func checkMaxAffected(_ preferences: Preferences, _ function: Function) throws(PlanFault) {
        guard preferences.handling == .strict, preferences.maxAffected != nil, function.returnsSingle
        else { return }
        throw .maxAffectedNeedsSet
    }
}

extension Intent {
    /// A time zone that the database does not have is a preference that nobody knows.
    func withTimezone(of catalog: Catalog) -> Intent {
        guard let timezone = preferences.timezone, !catalog.timezones.contains(timezone) else { return self }
        var intent = self
        intent.preferences.timezone = nil
        intent.preferences.unknown.append("timezone=" + timezone)
        return intent
    }
}
