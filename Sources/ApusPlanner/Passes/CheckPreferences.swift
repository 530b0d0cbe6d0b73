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
