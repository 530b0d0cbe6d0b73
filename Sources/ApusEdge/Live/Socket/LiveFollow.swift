/// One read that a connection follows. Touched on the connection's event loop only.
final class LiveFollow {
    let id: String
    let url: String
    let profile: String?
    /// Its own; nil: it goes by the connection's.
    let token: String?
    /// Which attempt it is in: what was told to an earlier one is not passed on.
    var serial: UInt64 = 0
    /// Of what the client was told last.
    var cursor: String?
    /// Its place on the board, once it has one.
    private var place: (board: LiveBoard, id: UInt64)?

    init(_ message: LiveSocketMessage.Follow) {
        id = message.id
        url = message.url
        profile = message.profile
        token = message.token
        cursor = message.last
    }

    /// Takes a place, and then leaves the one it had: a read that both share goes on.
    func enter(_ board: LiveBoard, _ id: UInt64) {
        let before = place
        place = (board, id)
        if let before { before.board.leave(before.id) }
    }

    func leave() {
        if let place { place.board.leave(place.id) }
        place = nil
    }
}
