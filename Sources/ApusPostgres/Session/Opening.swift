/// The steps that set the stage for a trip: role, claims and settings of its transaction.
///
/// An object, so that trips which begin alike are known by identity, and so that it is made once for many of them.
package final class Opening: Sendable {
    /// In order; their results are only checked for errors.
    package let steps: [RoundTrip.Step]

    package init(steps: [RoundTrip.Step]) { self.steps = steps }
}
