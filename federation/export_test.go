package federation

// How many deliveries may be under way before what goes to one inbox alone may begin, and to hosts that failed lately.
const (
	Senders    = senders
	IllSenders = illSenders
)
